package sqlservertest

import "time"

// patienceOfLocks is less than the rotator's: tests are not to wait for it.
const patienceOfLocks = 5 * time.Second

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
