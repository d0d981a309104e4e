package functiontest

import (
	"context"
	"sync"
	"testing"
	"time"
)

// An application logs in again and again.
type application struct {
	*user
	works   bool // at first: if not, it does nothing
	stop    context.CancelFunc
	running sync.WaitGroup
	logins  int
	refused []error
}

// pause is between two logins.
const pause = 40 * time.Millisecond

// open begins with AWSCURRENT's value. It keeps the value where that stays valid, and else reads it before each login.
func (a *application) open(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	a.stop = cancel
	if !a.works {
		return
	}
	d := a.value(t.Context(), "AWSCURRENT")
	a.running.Go(func() {
		for ; ctx.Err() == nil; time.Sleep(pause) {
			if !a.keeps(a.by) {
				d = a.value(t.Context(), "AWSCURRENT")
			}
			a.logins++
			if _, err := a.Login(t.Context(), d.Text("username"), d.Text("password")); err != nil && !a.meanwhile(t.Context()) {
				a.refused = append(a.refused, err)
			}
		}
	})
}

// meanwhile reports whether a login may have been refused because a single user's password was being changed: one of the
// two labels works. It looks twice, since AWSCURRENT may move between two reads.
func (a *application) meanwhile(ctx context.Context) bool {
	for range 2 {
		if !a.keeps(a.by) && a.alive(ctx) == nil {
			return true
		}
	}
	return false
}

// close ends it, and tells how often it logged in.
func (a *application) close(t *testing.T) (logins int) {
	t.Helper()
	a.stop()
	a.running.Wait()
	if len(a.refused) > 0 {
		t.Errorf("%d of %d logins were refused: %v", len(a.refused), a.logins, a.refused[0])
	}
	return a.logins
}
