package mysqltest

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/seed492efc12/rotor/internal/servertest"
)

// wireVersion is what the imitation says of itself: the last MySQL 5.7.
const wireVersion = "5.7.44"

// A wire is an imitation of MySQL 5.7: of its accounts, and of no data. Every table has the columns item and price.
type wire struct {
	config Config
	tls    *tls.Config
	log    generalLog

	mu       sync.Mutex
	accounts []*wireAccount
	locks    map[string]uint32 // GET_LOCK: name -> connection
	last     uint32            // connection
}

// StartWire starts an imitation of MySQL 5.7 on a free loopback port.
func StartWire(config Config) (*Server, error) {
	tls, ca, err := servertest.ImitationTLS(config.Options)
	if err != nil {
		return nil, err
	}
	listener, err := servertest.Listen()
	if err != nil {
		return nil, err
	}
	w := &wire{config: config, tls: tls, locks: map[string]uint32{}}
	password := rand.Text()
	w.accounts = append(w.accounts, administrator(password))
	listener.Serve(w.serve)
	s := &Server{product: MySQL, Server: servertest.Server{
		Title: "MySQL " + wireVersion, Version: wireVersion, Ours: true,
		Host: servertest.Host, Port: listener.Port(), TLS: config.TLS, AdminUser: admin, AdminPassword: password,
		Journal: &w.log, CountLogins: countLogins, Halt: listener.Close,
	}}
	if s.TLS != servertest.TLSOff {
		s.CA = ca
	}
	return s, nil
}

// serve runs one connection.
func (w *wire) serve(socket net.Conn) {
	w.mu.Lock()
	w.last++
	id := w.last
	w.mu.Unlock()
	defer w.gone(id)
	s := &wireSession{wire: w, id: id, packets: packets{conn: socket}}
	if err := s.run(); err != nil && !errors.Is(err, net.ErrClosed) {
		w.log.add(id, "Note", "the session ended: %v", err)
	}
}

// gone frees what a session held.
func (w *wire) gone(id uint32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for name, holder := range w.locks {
		if holder == id {
			delete(w.locks, name)
		}
	}
}

// lock is GET_LOCK: it waits for another session, without holding the server's state meanwhile.
func (w *wire) lock(id uint32, name string, wait time.Duration) bool {
	deadline := time.Now().Add(wait)
	for {
		if holder, taken := w.locks[name]; !taken || holder == id {
			w.locks[name] = id
			return true
		}
		if time.Now().After(deadline) {
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
