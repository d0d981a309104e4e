package functiontest

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/local"
	"github.com/seed492efc12/rotor/local/rig"
)

// patience bounds every single thing that is waited for.
const patience = 30 * time.Second

// A stage is a Secrets Manager and a function by one strategy. Most have a proxy before Secrets Manager, whose turns go
// by the name of "store", and one before the "database".
type stage struct {
	Harness
	by       string
	rig      *rig.Rig
	points   rig.Points
	store    *rig.Proxy
	database *rig.Proxy
	endpoint string // of Secrets Manager, for functions
	address  string // of the database, for secrets
	function *rig.Function
	other    *rig.Function               // nil until it is asked for
	denying  atomic.Bool                 // Secrets Manager denies the function everything
	role     role                        // what the function may do
	fault    atomic.Pointer[local.Fault] // of every request, nil for none
	users    int
	// passwords are those of a sweep's users.
	passwords []string

	mu      sync.Mutex
	between func() // called between a failed attempt and the next
	started []*rig.Function
}

// stage opens one with proxies. Secrets Manager runs a failed rotation again once, and at once.
func (h Harness) stage(t *testing.T, by string) *stage {
	t.Helper()
	return h.proxied(t, by, 1)
}

// proxied opens one with proxies. Secrets Manager runs a failed rotation again that often; below 0 never.
func (h Harness) proxied(t *testing.T, by string, retries int) *stage {
	t.Helper()
	s := h.newStage(t, by, retries)
	s.store = s.proxy(t, "store", strings.TrimPrefix(s.rig.URL, "http://"))
	s.database = s.proxy(t, "database", h.Address)
	s.endpoint, s.address = fmt.Sprint("http://127.0.0.1:", s.store.Port), fmt.Sprint("127.0.0.1:", s.database.Port)
	s.function = s.start(t, local.FunctionConfig{})
	return s
}

// direct opens one without proxies. A failed rotation is not run again.
func (h Harness) direct(t *testing.T, by string) *stage {
	t.Helper()
	s := h.newStage(t, by, -1)
	s.function = s.start(t, local.FunctionConfig{})
	return s
}

func (h Harness) newStage(t *testing.T, by string, retries int) *stage {
	t.Helper()
	s := &stage{Harness: h, by: by, address: h.Address}
	var err error
	s.rig, err = rig.Open(local.Options{Retries: retries, Backoff: s.backoff, Intercept: s.deny, Permits: s.role.permits})
	if err != nil {
		t.Fatal(err)
	}
	closing(t, s.rig)
	s.endpoint = s.rig.URL
	return s
}

// stages are one for each lane of a sweep.
func (h Harness) stages(t *testing.T, by string) []*stage {
	t.Helper()
	return lanes(t, func(t *testing.T) *stage { return h.stage(t, by) })
}

// second is a process of the same function beside the first.
func (s *stage) second(t *testing.T) *rig.Function {
	t.Helper()
	if s.other == nil {
		s.other = s.start(t, local.FunctionConfig{})
	}
	return s.other
}

func (s *stage) proxy(t *testing.T, name, server string) *rig.Proxy {
	t.Helper()
	p, err := rig.NewProxy(name, server, &s.points)
	if err != nil {
		t.Fatal(err)
	}
	closing(t, p)
	return p
}

func closing(t *testing.T, c io.Closer) {
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

// start starts another function, with what c says besides.
func (s *stage) start(t *testing.T, c local.FunctionConfig) *rig.Function {
	t.Helper()
	env := map[string]string{
		"ROTATION_STRATEGY":        s.by,
		"SECRETS_MANAGER_ENDPOINT": s.endpoint,
	}
	maps.Copy(env, s.Env)
	maps.Copy(env, c.Env)
	c.Bootstrap, c.Env = s.Bootstrap, env
	c.Name = cmp.Or(c.Name, fmt.Sprintf("function-%s-%d", s.endpoint[strings.LastIndex(s.endpoint, ":")+1:], len(s.started)))
	f, err := s.rig.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	s.started = append(s.started, f)
	return f
}

// backoff is the pause between two attempts of Secrets Manager.
func (s *stage) backoff(int) time.Duration {
	s.mu.Lock()
	between := s.between
	s.mu.Unlock()
	if between != nil {
		between()
	}
	return 0
}

// whenFailed has f called between an attempt that fails and the next.
func (s *stage) whenFailed(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.between = f
}

func (s *stage) deny(operation string, _ int) *local.Fault {
	if s.denying.Load() && operation != "RotateSecret" {
		return &local.Fault{Code: "AccessDeniedException", Message: "said the test"}
	}
	if operation != "RotateSecret" {
		return s.fault.Load()
	}
	return nil
}

// idle waits until no connection to the database is open: nothing of what was before can reach a point any more.
func (s *stage) idle(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := s.database.Idle(ctx); err != nil {
		t.Fatal(err)
	}
}

// arm has act called at a point of what comes.
func (s *stage) arm(t *testing.T, at string, act func() bool) {
	t.Helper()
	s.idle(t)
	s.points.Arm(at, act)
}

// reached reports, of a rotation that has ended, whether it came to the point that was armed. None is armed after that.
func (s *stage) reached(t *testing.T) bool {
	t.Helper()
	s.idle(t)
	defer s.points.Arm("", nil)
	return s.points.Fired()
}

// located is a secret's document for the database as the stage's functions reach it.
func (s *stage) located(t *testing.T, d secret.Document) secret.Document {
	t.Helper()
	host, port, err := net.SplitHostPort(s.address)
	if err != nil {
		t.Fatal(err)
	}
	return d.With("host", host).With("port", port)
}

// nowhere is a port that refuses every connection.
func nowhere(t *testing.T) (port string) { return strconv.Itoa(servertest.Deaf(t)) }
