package postgrestest

import (
	"maps"
	"time"
)

// A transaction is what a session has changed and not committed. There is one around every statement; BEGIN makes it
// explicit, which is to say that it lasts.
type transaction struct {
	explicit   bool
	failed     bool
	work       *catalog          // what this transaction sees, once it has changed something
	before     map[string]string // the session's settings, should it roll back
	after      map[string]string // the session's settings, should it commit: without those that are SET LOCAL
	savepoints []savepoint
}

// A savepoint is a state to come back to.
type savepoint struct {
	name     string
	work     *catalog // nil: nothing was changed yet
	settings map[string]string
	after    map[string]string
}

// lockPatience bounds the wait for another writing transaction, so that a test which needs two of them at once fails
// with a reason.
const lockPatience = 10 * time.Second

// status is the transaction status of ReadyForQuery.
func (s *wireSession) status() byte {
	switch {
	case s.tx == nil || !s.tx.explicit:
		return 'I'
	case s.tx.failed:
		return 'E'
	}
	return 'T'
}

// begin makes sure that there is a transaction. Whether it is read-only is settled when it begins.
func (s *wireSession) begin() {
	if s.tx != nil {
		return
	}
	s.tx = &transaction{before: maps.Clone(s.settings), after: maps.Clone(s.settings)}
	s.settings["transaction_read_only"] = s.settings["default_transaction_read_only"]
	if s.server.recovery {
		s.settings["transaction_read_only"] = "on"
	}
}

// execute runs a statement in the session's transaction.
func (s *wireSession) execute(p *plan, arguments []any) (result, error) {
	s.begin()
	if err := s.mayRun(p); err != nil {
		return result{}, err
	}
	if p.writes != "" && s.readOnly() {
		return result{}, raise("25006", "cannot execute %s in a read-only transaction", p.writes)
	}
	return p.run(s, arguments)
}

// mayRun refuses everything but the end of a failed transaction.
func (s *wireSession) mayRun(p *plan) error {
	if s.tx != nil && s.tx.failed && !p.ends {
		return raise("25P02", "current transaction is aborted, commands ignored until end of transaction block")
	}
	return nil
}

// readOnly says whether the transaction may change anything.
func (s *wireSession) readOnly() bool {
	return s.settings["transaction_read_only"] == "on"
}

// markFailed makes the transaction one that can only roll back.
func (s *wireSession) markFailed() {
	if s.tx != nil {
		s.tx.failed = true
	}
}

// view is the catalog as the transaction sees it, to be read only.
func (s *wireSession) view() *catalog {
	if s.tx != nil && s.tx.work != nil {
		return s.tx.work
	}
	return s.server.committed()
}

// writable is the transaction's own catalog, to be changed.
func (s *wireSession) writable() (*catalog, error) {
	if s.tx.work == nil {
		select {
		case s.server.writer <- struct{}{}:
		case <-time.After(lockPatience):
			return nil, raise("55P03", "canceling statement due to lock timeout")
		}
		s.tx.work = s.server.committed().clone()
	}
	return s.tx.work, nil
}

// finishImplicit ends the transaction around a statement outside BEGIN.
func (s *wireSession) finishImplicit() {
	switch {
	case s.tx == nil || s.tx.explicit:
	case s.tx.failed:
		s.rollback()
	default:
		s.commit()
	}
}

func (s *wireSession) commit() {
	if s.tx.work != nil {
		s.server.commit(s.tx.work)
		<-s.server.writer
	}
	s.settings, s.tx = s.tx.after, nil
}

func (s *wireSession) rollback() {
	if s.tx.work != nil {
		<-s.server.writer
	}
	s.settings, s.tx = s.tx.before, nil
}

// save makes a savepoint.
func (s *wireSession) save(name string) {
	point := savepoint{name: name, settings: maps.Clone(s.settings), after: maps.Clone(s.tx.after)}
	if s.tx.work != nil {
		point.work = s.tx.work.clone()
	}
	s.tx.savepoints = append(s.tx.savepoints, point)
}

// savepointAt finds the last savepoint of a name.
func (s *wireSession) savepointAt(name string) (int, error) {
	for i := len(s.tx.savepoints) - 1; i >= 0; i-- {
		if s.tx.savepoints[i].name == name {
			return i, nil
		}
	}
	return 0, raise("3B001", "savepoint %q does not exist", name)
}

// rollbackTo undoes what came after a savepoint, which stays.
func (s *wireSession) rollbackTo(name string) error {
	at, err := s.savepointAt(name)
	if err != nil {
		return err
	}
	point := s.tx.savepoints[at]
	s.tx.savepoints = s.tx.savepoints[:at+1]
	if s.tx.work != nil { // the lock stays, as the real server's do
		from := point.work
		if from == nil {
			from = s.server.committed()
		}
		s.tx.work = from.clone()
	}
	s.settings, s.tx.after, s.tx.failed = maps.Clone(point.settings), maps.Clone(point.after), false
	return nil
}

// release forgets a savepoint and those after it.
func (s *wireSession) release(name string) error {
	at, err := s.savepointAt(name)
	if err == nil {
		s.tx.savepoints = s.tx.savepoints[:at]
	}
	return err
}
