package rig

import (
	"fmt"
	"sync"
)

// Points are the places in a function's conversations with the world outside at which something can happen to it.
// Each conversation is a connection through a [Proxy] and goes in turns: the client asks, with all that it sends until
// the server sends something; then the server answers. The turns of a proxy are counted over all its connections.
//
//	database#3 asked      before any part of the third question is passed on
//	database#3 answered   before any part of the answer is: the server has done by then what it was asked to do
//
// They are safe for concurrent use.
type Points struct {
	mu    sync.Mutex
	turns map[string]int // by proxy
	at    string
	act   func() bool
}

// Arm begins to count anew. When the point at is reached, act is called, once, while the connection stands still; if it
// returns false the connection is closed on both sides, and else it goes on.
func (p *Points) Arm(at string, act func() bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.turns, p.at, p.act = map[string]int{}, at, act
}

// Fired reports whether the point that was armed last has been reached.
func (p *Points) Fired() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at != "" && p.act == nil
}

// Turns counts those of a proxy since Arm.
func (p *Points) Turns(proxy string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.turns[proxy]
}

// next names the next turn of a proxy.
func (p *Points) next(proxy string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.turns == nil {
		p.turns = map[string]int{}
	}
	p.turns[proxy]++
	return fmt.Sprintf("%s#%d", proxy, p.turns[proxy])
}

// reach reports whether a connection that has come to a point may go on.
func (p *Points) reach(point string) bool {
	p.mu.Lock()
	act := p.act
	if act == nil || point != p.at {
		p.mu.Unlock()
		return true
	}
	p.act = nil
	p.mu.Unlock()
	return act()
}
