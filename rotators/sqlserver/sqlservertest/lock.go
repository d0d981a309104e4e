package sqlservertest

import (
	"slices"
	"strings"
	"time"
)

// patienceOfLocks is less than the rotator's: tests are not to wait for it.
const patienceOfLocks = 5 * time.Second

// appLock reads what follows DECLARE in a batch that calls sp_getapplock and
// answers with its result, and returns the resource.
// Source: Transact-SQL reference, "sp_getapplock".
func (p *parser) appLock(r request) (resource string, err error) {
	result, ok := p.kind(wordToken)
	if !ok || !p.take("int", ";") || !p.take("exec", strings.ToLower(result), "=", "sp_getapplock") {
		return "", p.syntax()
	}
	given := map[string]string{}
	err = p.list(func() error {
		name, _ := p.kind(wordToken)
		if !slices.Contains([]string{"@resource", "@lockmode", "@lockowner", "@locktimeout", "@dbprincipal"}, strings.ToLower(name)) {
			return raise(8145, "%s is not a parameter for procedure sp_getapplock.", name)
		}
		if err := p.expect("="); err != nil {
			return err
		}
		value, ok := p.kind(wordToken, stringToken, numberToken)
		if argument, is := r.arguments[strings.ToLower(value)]; is {
			value = argument
		}
		given[strings.ToLower(name)] = value
		if !ok {
			return p.syntax()
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	if given["@lockowner"] != "Session" || given["@lockmode"] != "Exclusive" {
		return "", raise(1223, "Cannot release or hold the application lock: the wire-level server knows exclusive locks of a session alone.")
	}
	if !p.take(";", "select", strings.ToLower(result)) {
		return "", p.syntax()
	}
	return given["@resource"], p.end()
}

// appLock is sp_getapplock for the session, in the present database. It answers
// 0 (granted), 1 (granted after waiting) or -1 (timed out).
func (s *session) appLock(resource string) (int, [][]value, error) {
	key := s.database.name + "\x00" + resource
	s.server.mu.Lock()
	free := s.server.locks[key]
	if free == nil {
		free = make(chan struct{}, 1)
		s.server.locks[key] = free
	}
	s.server.mu.Unlock()
	answer := "0"
	select {
	case free <- struct{}{}:
	default:
		select {
		case free <- struct{}{}:
			answer = "1"
		case <-time.After(patienceOfLocks):
			return 1, [][]value{{text("-1")}}, nil
		}
	}
	s.locks = append(s.locks, key)
	return 1, [][]value{{text(answer)}}, nil
}

// unlock ends the session's locks. The caller holds the server's lock.
func (s *session) unlock() {
	for _, key := range s.locks {
		<-s.server.locks[key]
	}
	s.locks = nil
}
