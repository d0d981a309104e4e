package main_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed492efc12/rotor/framework/local"
	"github.com/seed492efc12/rotor/rotators/postgres/postgrestest"
)

// A hold passes connections on to a server until it is told to hold an answer back: then it calls held, once, and that
// connection stands still.
type hold struct {
	port int
	stop func() bool // asked before each answer
	held func()
	once sync.Once
}

func newHold(t *testing.T, s *postgrestest.Server, stop func() bool, held func()) *hold {
	t.Helper()
	l := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	t.Cleanup(func() { _ = l.Close() }) // Accept below ends with it
	h := &hold{port: l.Addr().(*net.TCPAddr).Port, stop: stop, held: held}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", net.JoinHostPort(s.Host, fmt.Sprint(s.Port)))
			if err != nil {
				_ = client.Close()
				continue
			}
			go func() { _, _ = io.Copy(server, client); _ = server.Close() }()
			go func() { h.answer(client, server); _ = client.Close() }()
		}
	}()
	return h
}

// answer copies what the server sends. A held connection ends when the client is gone.
func (h *hold) answer(client, server net.Conn) {
	buffer := make([]byte, 1<<16)
	for {
		n, err := server.Read(buffer)
		if err != nil {
			return
		}
		if h.stop() {
			held := false
			h.once.Do(func() { held = true })
			if held {
				h.held()
				return
			}
		}
		if _, err := client.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func TestAKilledFunctionLosesNothingAndTheRetryConverges(t *testing.T) {
	bootstrap, s := build(t), best(t)
	if !s.HasLog() {
		t.Skip("the moment to kill is found in the server's log, which is out of reach")
	}
	for _, by := range strategies {
		for _, c := range []struct{ name, statement string }{
			{"before the commit", "alter role"},
			{"after the commit", "commit"},
		} {
			t.Run(by.name+"/"+c.name, func(t *testing.T) { killed(t, bootstrap, s, by, c.statement) })
		}
	}
}

// killed kills the function when the server has run a statement of setSecret and not yet said so. The rotation is then
// run again by Secrets Manager.
func killed(t *testing.T, bootstrap string, s *postgrestest.Server, by strategy, statement string) {
	w := newWorld(t, bootstrap, s, local.Options{Retries: 1, Backoff: func(int) time.Duration { return time.Millisecond }})
	f := w.start(t, "ROTATION_STRATEGY", by.name)
	app := w.role(t, "app", firstPassword)
	begin := s.Mark()
	restarted := make(chan error, 1)
	h := newHold(t, s,
		func() bool { return strings.Contains(strings.ToLower(s.LogSince(begin)), "statement: "+statement) },
		func() { restarted <- f.Restart() })
	through := document{"port": h.port}
	master := w.secret(t, "through", w.document(w.box.Role("dba"), adminPassword).with(through))
	arn := w.secret(t, "app", w.document(app, firstPassword).with(through).with(document{"masterarn": master}))
	n, err := w.Rotate(t.Context(), arn, f)
	if err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-restarted:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the function was not killed")
	}
	var steps []string
	for _, step := range n.Steps {
		steps = append(steps, step.Name)
	}
	if want := "createSecret setSecret createSecret setSecret testSecret finishSecret"; strings.Join(steps, " ") != want {
		t.Errorf("the steps were %v: it was not killed in setSecret", steps)
	}
	if l := w.read(t, arn, "AWSCURRENT"); l.Password == firstPassword || !w.accepts(t, l) {
		t.Error("the password has not changed, or does not work")
	}
	if by.alternates() && !w.accepts(t, login{app, firstPassword}) {
		t.Error("the other user's password no longer works")
	}
}
