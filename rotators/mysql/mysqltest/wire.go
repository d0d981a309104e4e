package mysqltest

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/seed492efc12/rotor/internal/servertest"
)

// A WireConfig is what only the wire-level server has.
type WireConfig struct {
	// Version is what VERSION() says; "8.0.36" if it is empty. It decides which statements the server knows.
	Version string
	// NativePassword gives new accounts mysql_native_password, which is what those of version 5.7 have anyway.
	NativePassword bool
	// RequireTLS refuses plain text (require_secure_transport).
	RequireTLS bool
}

func (c WireConfig) isZero() bool { return c == WireConfig{} }

// A Wire is a wire-level server. Its methods change what it does from the next statement or login on.
type Wire struct {
	config  Config
	version [3]int
	tls     *tls.Config
	log     generalLog

	mu       sync.Mutex
	accounts []*wireAccount
	locks    map[string]uint32 // GET_LOCK: name -> connection
	open     map[uint32]bool
	last     uint32 // connection
	readOnly bool
	most     int             // connections; 0 is no limit
	drop     string          // what a statement has in it whose reply is lost
	codes    map[string]code // errors to answer statements with, by what they have in them
}

// StartWire starts a wire-level server on a free loopback port.
func StartWire(config Config) (*Server, error) {
	tls, ca, err := servertest.ImitationTLS(config.Options)
	if err != nil {
		return nil, err
	}
	listener, err := servertest.Listen()
	if err != nil {
		return nil, err
	}
	if config.Wire.Version == "" {
		config.Wire.Version = "8.0.36"
	}
	w := &Wire{config: config, tls: tls, locks: map[string]uint32{}, open: map[uint32]bool{}, codes: map[string]code{}}
	for i, part := range strings.SplitN(strings.SplitN(config.Wire.Version, "-", 2)[0], ".", 3) {
		w.version[i], _ = strconv.Atoi(part)
	}
	password := rand.Text()
	w.accounts = append(w.accounts, w.administrator(password))
	listener.Serve(w.serve)
	s := &Server{product: MySQL, wire: w, Server: servertest.Server{
		Title: "MySQL " + config.Wire.Version, Version: config.Wire.Version, Ours: true,
		Host: servertest.Host, Port: listener.Port(), TLS: config.TLS, AdminUser: admin, AdminPassword: password,
		Journal: &w.log, CountLogins: countLogins, Halt: listener.Close,
	}}
	if s.TLS != servertest.TLSOff {
		s.CA = ca
	}
	return s, nil
}

// since reports whether the server is of that version or a later one.
func (w *Wire) since(version ...int) bool {
	for i, n := range version {
		if w.version[i] != n {
			return w.version[i] > n
		}
	}
	return true
}

// SetReadOnly makes the server a replica, or the source again.
func (w *Wire) SetReadOnly(on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.readOnly = on
}

// SetMaxConnections limits how many sessions may be open; 0 takes the limit away.
func (w *Wire) SetMaxConnections(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.most = n
}

// DropReply lets the next statement that has a text in it have its effect, and then breaks the connection instead of
// answering.
func (w *Wire) DropReply(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drop = text
}

// Answer gives every statement that has a text in it an error instead of an effect. An empty text means logins. Code 0
// takes the error away again.
func (w *Wire) Answer(text string, number uint16, message string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if number == 0 {
		delete(w.codes, text)
		return
	}
	w.codes[text] = code{number, message}
}

// Passwords are an account's primary and secondary password. It panics if there is no such account.
func (w *Wire) Passwords(user, host string) (primary, secondary string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	a := w.find(user, host)
	return a.primary, a.secondary
}

// serve runs one connection.
func (w *Wire) serve(socket net.Conn) {
	w.mu.Lock()
	w.last++
	id := w.last
	w.open[id] = true
	w.mu.Unlock()
	defer w.gone(id)
	s := &wireSession{Wire: w, id: id, packets: packets{conn: socket}}
	if err := s.run(); err != nil && !errors.Is(err, net.ErrClosed) {
		w.log.add(id, "Note", "the session ended: %v", err)
	}
}

// gone frees what a session held.
func (w *Wire) gone(id uint32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.open, id)
	for name, holder := range w.locks {
		if holder == id {
			delete(w.locks, name)
		}
	}
}

// lock is GET_LOCK: it waits for another session, without holding the server's state meanwhile.
func (w *Wire) lock(ctx context.Context, id uint32, name string, wait time.Duration) bool {
	deadline := time.Now().Add(wait)
	for {
		if holder, taken := w.locks[name]; !taken || holder == id {
			w.locks[name] = id
			return true
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			return false
		}
		w.mu.Unlock()
		time.Sleep(5 * time.Millisecond)
		w.mu.Lock()
	}
}

// A generalLog is the imitation's log, in the form of a real server's general log.
type generalLog struct{ servertest.MemoryLog }

func (l *generalLog) add(connection uint32, command, format string, arguments ...any) {
	l.Addf("\t\t%6d %s\t%s", connection, command, fmt.Sprintf(format, arguments...))
}
