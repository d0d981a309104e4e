package main

import (
	"strings"
	"testing"
	"time"
)

func TestNoSecretIsLost(t *testing.T) {
	for _, perSecond := range []int{rotateQuota, 0} {
		r, err := simulate(config{seed: 1, secrets: 300, perSecond: perSecond})
		if err != nil {
			t.Error(err)
		}
		if r.last < r.bound() {
			t.Errorf("all are rotated after %v: the quota allows no less than %v", r.last, r.bound())
		}
		if r.crashes == 0 || r.failures == 0 {
			t.Errorf("%d crashes and %d failures: the simulation is too kind", r.crashes, r.failures)
		}
	}
}

func TestASecretThatIsLostIsNoticed(t *testing.T) {
	s := &simulation{config: config{seed: 1, secrets: 3}, loop: &loop{}}
	s.store = newStore(s.loop)
	if err := s.prepare(); err != nil {
		t.Fatal(err)
	}
	if err := s.verify(); err == nil || !strings.Contains(err.Error(), "not rotated") {
		t.Errorf("before the window: %v", err)
	}
	s.all[2].server.Memory.SetPassword("user2", "somebody else's")
	s.check(s.all[1], "in the test")
	s.check(s.all[2], "in the test")
	if s.lost == nil || !strings.Contains(s.lost.Error(), "secret2") {
		t.Errorf("lost: %v", s.lost)
	}
}

func TestTheSameSeedIsTheSameWindow(t *testing.T) {
	var numbers [2][6]int
	for n := range numbers {
		r, err := simulate(config{seed: 7, secrets: 300})
		if err != nil {
			t.Fatal(err)
		}
		numbers[n] = [6]int{int(r.last), int(r.most), r.store.calls, r.store.throttled, r.failures, r.crashes}
	}
	if numbers[0] != numbers[1] {
		t.Errorf("%v and %v", numbers[0], numbers[1])
	}
}

func TestWithoutPerilsTheQuotaIsTheOnlyLimit(t *testing.T) {
	s := &simulation{config: config{seed: 1, secrets: 20}, loop: &loop{}}
	s.store = newStore(s.loop)
	if err := s.prepare(); err != nil {
		t.Fatal(err)
	}
	for _, r := range s.all {
		s.start(r)
	}
	s.loop.run()
	if err := s.verify(); err != nil {
		t.Error(err)
	}
	// A single user's rotation takes 11 calls, 12 by the administrator, 13 with alternating users.
	if want := 7*11 + 7*12 + 6*13; s.store.calls != want || s.store.throttled != 0 || s.failures != 0 {
		t.Errorf("%d calls, %d throttled, %d failed attempts; want %d, 0 and 0", s.store.calls, s.store.throttled, s.failures, want)
	}
}

func TestABucketLetsItsRateThrough(t *testing.T) {
	b, passed := newBucket(50), 0
	for at := time.Duration(0); at < 10*time.Second; at += time.Millisecond {
		if b.take(at) {
			passed++
		}
	}
	if passed < 548 || passed > 550 { // ten seconds, and the one that was kept
		t.Errorf("%d passed", passed)
	}
}

func TestTimePassesInOrder(t *testing.T) {
	var l loop
	var order strings.Builder
	l.after(2, func() { order.WriteString("c") })
	l.after(1, func() { order.WriteString("a"); l.after(1, func() { order.WriteString("d") }) })
	l.after(1, func() { order.WriteString("b") })
	l.spawn(func(task *task) {
		_ = task.sleep(t.Context(), 3)
		order.WriteString("e")
		task.crash()
		order.WriteString("never")
	})
	l.run()
	if order.String() != "abcde" || l.now != 3 {
		t.Errorf("%s at %v", order.String(), l.now)
	}
}
