package rig_test

import (
	"bufio"
	"fmt"
	"net"
	"testing"

	"github.com/seed492efc12/rotor/local/rig"
)

// echo answers each line, after a greeting, and counts the lines that came.
func echo(t *testing.T) (address string, lines chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	lines = make(chan string, 16)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				fmt.Fprintln(c, "hello")
				for s := bufio.NewScanner(c); s.Scan(); {
					lines <- s.Text()
					fmt.Fprintln(c, "you said", s.Text())
				}
			}()
		}
	}()
	return l.Addr().String(), lines
}

// talk says so many lines through a proxy and returns how many were answered.
func talk(t *testing.T, p *rig.Proxy, said int) (answered int) {
	t.Helper()
	c, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", p.Port))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	in := bufio.NewReader(c)
	for n := range said + 1 {
		if _, err := in.ReadString('\n'); err != nil { // the greeting first
			return max(0, n-1)
		}
		fmt.Fprintln(c, "line", n)
	}
	return said
}

func TestEachPointOfAConversationCanBeReached(t *testing.T) {
	address, lines := echo(t)
	for _, c := range []struct {
		point          string
		heard, replied int // lines that the server got, answers that the client got
	}{
		{"echo#1 asked", 0, 0}, {"echo#1 answered", 1, 0}, {"echo#2 asked", 1, 1}, {"echo#2 answered", 2, 1},
	} {
		var points rig.Points
		p, err := rig.NewProxy("echo", address, &points)
		if err != nil {
			t.Fatal(err)
		}
		points.Arm(c.point, func() bool { return false })
		if got := talk(t, p, 3); got != c.replied || !points.Fired() {
			t.Errorf("%s: %d answers, want %d; reached: %v", c.point, got, c.replied, points.Fired())
		}
		if err := p.Idle(t.Context()); err != nil {
			t.Error(err)
		}
		if len(lines) != c.heard {
			t.Errorf("%s: the server heard %d lines, want %d", c.point, len(lines), c.heard)
		}
		for range len(lines) {
			<-lines
		}
		if open, ever := p.Connections(); open != 0 || ever != 1 {
			t.Errorf("%s: %d connections are open of %d", c.point, open, ever)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestAConversationThatIsHeldUpGoesOn(t *testing.T) {
	address, _ := echo(t)
	var points rig.Points
	p, err := rig.NewProxy("echo", address, &points)
	if err != nil {
		t.Fatal(err)
	}
	acted := 0
	points.Arm("echo#2 answered", func() bool { acted++; return true })
	if got := talk(t, p, 3); got != 3 || acted != 1 {
		t.Errorf("%d answers, held up %d times; want 3 and once", got, acted)
	}
	if points.Turns("echo") < 3 || points.Turns("other") != 0 {
		t.Errorf("%d turns", points.Turns("echo"))
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if _, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", p.Port)); err == nil {
		t.Error("a closed proxy takes connections")
	}
}

func TestAProxyClosesWhatIsOpen(t *testing.T) {
	address, _ := echo(t)
	var points rig.Points
	p, err := rig.NewProxy("echo", address, &points)
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", p.Port))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	in := bufio.NewReader(c)
	if _, err := in.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if _, err := in.ReadByte(); err == nil {
		t.Error("the connection is open")
	}
}
