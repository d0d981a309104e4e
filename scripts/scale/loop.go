package main

import (
	"container/heap"
	"context"
	"runtime"
	"time"
)

// A loop is virtual time. It runs one thing after the other, in the order of their times, and in the order in which
// they were asked for at the same time: whatever is simulated is the same in each run.
type loop struct {
	now   time.Duration // since the window opened
	queue queue
	asked int
}

// An event is a thing to do at a time.
type event struct {
	at    time.Duration
	order int
	do    func()
}

// after has do run when d has passed.
func (l *loop) after(d time.Duration, do func()) {
	l.asked++
	heap.Push(&l.queue, event{l.now + d, l.asked, do})
}

// run runs everything until there is nothing left to do.
func (l *loop) run() {
	for len(l.queue) > 0 {
		e := heap.Pop(&l.queue).(event)
		l.now = e.at
		e.do()
	}
}

// A queue is a heap of events, the earliest first.
type queue []event

func (q queue) Len() int      { return len(q) }
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q queue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].order < q[j].order
}

// Push and Pop are for package heap.
func (q *queue) Push(e any) { *q = append(*q, e.(event)) }
func (q *queue) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	*q = (*q)[:last]
	return e
}

// A task is a goroutine that takes turns with the loop: one of the two runs, the other waits.
type task struct {
	loop    *loop
	resume  chan struct{}
	parked  chan struct{}
	sleeps  int // counts them, so that a wake-up that comes too late is known
	asleep  bool
	crashed bool
}

// spawn runs f as a task, up to the first time that it sleeps.
func (l *loop) spawn(f func(t *task)) {
	t := &task{loop: l, resume: make(chan struct{}), parked: make(chan struct{})}
	go func() {
		defer func() { t.parked <- struct{}{} }()
		f(t)
	}()
	<-t.parked
}

// sleep lets d pass, or less if ctx ends, whose error it then returns.
func (t *task) sleep(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	t.sleeps++
	t.asleep = true
	mine := t.sleeps
	t.loop.after(d, func() { t.wake(mine) })
	t.parked <- struct{}{}
	<-t.resume
	return ctx.Err()
}

// wake ends a sleep that has not ended yet.
func (t *task) wake(sleep int) {
	if !t.asleep || t.sleeps != sleep {
		return
	}
	t.asleep = false
	t.resume <- struct{}{}
	<-t.parked
}

// crash ends the task where it is, as the end of its process would.
func (t *task) crash() {
	t.crashed = true
	runtime.Goexit()
}
