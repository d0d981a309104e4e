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

	"github.com/seed492efc12/rotor/framework/local/localtls"
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
	config   Config
	version  [3]int
	listener net.Listener
	tls      *tls.Config
	log      memoryLog
	sessions sync.WaitGroup

	mu       sync.Mutex
	accounts []*wireAccount
	locks    map[string]uint32 // GET_LOCK: name -> connection
	open     map[uint32]net.Conn
	last     uint32 // connection
	readOnly bool
	most     int             // connections; 0 is no limit
	drop     string          // what a statement has in it whose reply is lost
	codes    map[string]code // errors to answer statements with, by what they have in them
}

// StartWire starts a wire-level server on a free loopback port.
func StartWire(config Config) (*Server, error) {
	ca, err := localtls.New()
	if err != nil {
		return nil, err
	}
	certificate, err := ca.Faulty(config.Certificate, Host, "localhost")
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", Host+":0")
	if err != nil {
		return nil, err
	}
	if config.Wire.Version == "" {
		config.Wire.Version = "8.0.36"
	}
	w := &Wire{config: config, listener: listener, locks: map[string]uint32{}, open: map[uint32]net.Conn{}, codes: map[string]code{}}
	w.tls = &tls.Config{Certificates: []tls.Certificate{certificate.TLS}, MinVersion: tls.VersionTLS12}
	for i, part := range strings.SplitN(strings.SplitN(config.Wire.Version, "-", 2)[0], ".", 3) {
		w.version[i], _ = strconv.Atoi(part)
	}
	password := rand.Text()
	w.accounts = append(w.accounts, w.administrator(password))
	w.sessions.Go(w.serve)
	s := &Server{
		Host: Host, Port: listener.Addr().(*net.TCPAddr).Port, AdminUser: admin, AdminPassword: password,
		Version: config.Wire.Version, origin: "MySQL " + config.Wire.Version + " (wire-level stand-in)",
		tls: !config.NoTLS, log: &w.log, halt: w.close, wire: w,
	}
	if s.tls {
		s.CA = ca.PEM()
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

func (w *Wire) serve() {
	for {
		c, err := w.listener.Accept()
		if err != nil {
			return
		}
		w.mu.Lock()
		w.last++
		id := w.last
		w.open[id] = c
		w.mu.Unlock()
		w.sessions.Go(func() {
			defer w.gone(id)
			s := &wireSession{Wire: w, id: id, packets: packets{conn: c}}
			if err := s.run(); err != nil && !errors.Is(err, net.ErrClosed) {
				w.log.add(id, "Note", "the session ended: %v", err)
			}
		})
	}
}

// gone frees what a session held.
func (w *Wire) gone(id uint32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = w.open[id].Close()
	delete(w.open, id)
	for name, holder := range w.locks {
		if holder == id {
			delete(w.locks, name)
		}
	}
}

func (w *Wire) close() error {
	err := w.listener.Close()
	w.mu.Lock()
	for _, c := range w.open {
		_ = c.Close()
	}
	w.mu.Unlock()
	w.sessions.Wait()
	return err
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

// A memoryLog is the wire-level server's log, in the form of MariaDB's general log.
type memoryLog struct {
	mu sync.Mutex
	b  strings.Builder
}

// Since is what was logged after the first offset bytes.
func (l *memoryLog) Since(offset int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()[offset:]
}

func (l *memoryLog) add(connection uint32, command, format string, arguments ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(&l.b, "\t\t%6d %s\t%s\n", connection, command, fmt.Sprintf(format, arguments...))
}
