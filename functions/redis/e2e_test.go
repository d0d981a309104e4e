package main_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed492efc12/rotor/internal/harnesstest"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/local"
	"github.com/seed492efc12/rotor/local/functiontest"
	"github.com/seed492efc12/rotor/local/rig"
	"github.com/seed492efc12/rotor/rotators/redis/redistest"
)

// A login is what an application takes from its secret.
type login struct{ Username, Password string }

// open is a Secrets Manager with a user's secret and its administrator's, and the function.
func open(t *testing.T, s *redistest.Server, by string) (r *rig.Rig, f *rig.Function, arn string) {
	t.Helper()
	r, err := rig.Open(local.Options{Retries: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	add := func(name string, more map[string]any, rules ...string) string {
		password := rand.Text()
		setUser(t, s, name, password, rules...)
		fields := maps.Clone(s.Place())
		fields["username"], fields["password"] = name, password
		maps.Copy(fields, more)
		text, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		arn, err := r.CreateSecret(t.Context(), name, string(text))
		if err != nil {
			t.Fatal(err)
		}
		return arn
	}
	tag := "r" + rand.Text()[:10]
	administrator := add(tag+"dba", nil, redistest.Administers...)
	arn = add(tag+"app", map[string]any{"masterarn": administrator}, append([]string{"~" + tag + ":*", "+set", "+get"}, redistest.Administers...)...)
	f, err = r.Start(local.FunctionConfig{Bootstrap: functiontest.Bootstrap(t, function), Name: "redis", Timeout: 10 * time.Second,
		Env: map[string]string{"CA_BUNDLE": string(s.CA), "ROTATION_STRATEGY": by}})
	if err != nil {
		t.Fatal(err)
	}
	return r, f, arn
}

// read is the application's look at its secret.
func read(t *testing.T, r *rig.Rig, arn string) (l login) {
	t.Helper()
	text, err := r.Value(t.Context(), arn, "AWSCURRENT")
	if err == nil {
		err = json.Unmarshal([]byte(text), &l)
	}
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// An application that reads its secret now and then, and logs in all the time, at every node, is never refused: what it
// has read before a rotation works until the next one.
func TestAnApplicationIsNeverRefused(t *testing.T) {
	redistest.Each(t, func(t *testing.T, s *redistest.Server) {
		for _, by := range []string{"single-user", "single-user-by-administrator", "alternating-users"} {
			t.Run(by, func(t *testing.T) {
				r, f, arn := open(t, s, by)
				app := &application{server: s, has: read(t, r, arn)}
				stop := app.run(t)
				const rotations = 10
				for range rotations {
					if _, err := r.Rotate(t.Context(), arn, f); err != nil {
						t.Error(err)
					}
					app.learn(read(t, r, arn)) // within the minute
				}
				if logins := stop(); logins < rotations {
					t.Errorf("it logged in %d times", logins)
				} else {
					t.Logf("%d logins during %d rotations, none refused", logins, rotations)
				}
			})
		}
	})
}

// An application logs in with what it has read.
type application struct {
	server *redistest.Server
	mu     sync.Mutex
	has    login
}

func (a *application) learn(l login) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.has = l
}

// logIn tries what the application knows at a node. It learns nothing new meanwhile.
func (a *application) logIn(port int) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	c, err := a.server.Connect(context.Background(), port, a.has.Username, a.has.Password)
	if err != nil {
		return err
	}
	return c.Close()
}

// run logs in until it is stopped, and counts.
func (a *application) run(t *testing.T) (stop func() int) {
	ctx, cancel := context.WithCancel(context.Background())
	logins, ended := 0, make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			for _, port := range a.server.Ports() {
				if err := a.logIn(port); err != nil {
					t.Errorf("port %d: %v", port, err)
					return
				}
				logins++
			}
			time.Sleep(time.Millisecond)
		}
	}()
	return func() int {
		cancel()
		<-ended
		return logins
	}
}

// A Sentinel's secret is followed to whichever node is the primary.
func TestAFailoverBetweenTwoRotations(t *testing.T) {
	redistest.Products(t, func(t *testing.T, product string) {
		s := redistest.Start(t, product, redistest.Config{Shape: redistest.Watched})
		r, f, arn := open(t, s, "single-user")
		for range 2 {
			if _, err := r.Rotate(t.Context(), arn, f); err != nil {
				t.Fatal(err)
			}
			s.Failover(t)
			l := read(t, r, arn)
			port, err := s.Primary(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			c, err := s.Connect(t.Context(), port, l.Username, l.Password)
			if err != nil {
				t.Fatalf("after the failover: %v", err)
			}
			_ = c.Close()
		}
	})
}

// The message names the field that has to be corrected, as it is, and no password.
func TestWhatTheDriverDeclaresIsQuotedAndNothingElse(t *testing.T) {
	s := redistest.Start(t, redistest.Redis, redistest.Config{Shape: redistest.Watched})
	r, f, _ := open(t, s, "single-user")
	fields := maps.Clone(s.Place())
	fields["username"], fields["password"], fields["sentinelMaster"] = s.AdminUser, rand.Text(), "nobody's primary"
	text, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	arn, err := r.CreateSecret(t.Context(), "wrong", string(text))
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Rotate(t.Context(), arn, f)
	if err == nil || !strings.Contains(err.Error(), "nobody's primary") || strings.Contains(err.Error(), s.AdminPassword) {
		t.Errorf("got %v", err)
	}
}

func TestServersThatCannotBeTrustedGetNoPassword(t *testing.T) {
	start := func(t *testing.T, o servertest.Options) *servertest.Server {
		return &redistest.Start(t, redistest.Valkey, redistest.Config{Options: o}).Server
	}
	suspects := harnesstest.Suspects(t, start, "Turn TLS on", map[string]any{"engine": "valkey"})
	functiontest.RunUntrusted(t, functiontest.Bootstrap(t, function), suspects)
}

func TestThePackageIsSmall(t *testing.T) {
	functiontest.WantSmall(t, functiontest.Bootstrap(t, function), 6<<20)
}
