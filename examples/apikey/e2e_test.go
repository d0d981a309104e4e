package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed492efc12/rotor/examples/apikey/keyserver"
	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/local"
	"github.com/seed492efc12/rotor/local/localtls"
	"github.com/seed492efc12/rotor/local/rig"
)

// build makes the binary that would be deployed, once, beside the test binary: go test removes both.
var build = sync.OnceValues(func() (string, error) {
	binary, err := os.Executable()
	if err != nil {
		return "", err
	}
	return rig.Build(context.Background(), ".", binary+".function")
})

// A world is what one test has for itself: a service, a Secrets Manager with one secret, and the built function.
type world struct {
	*rig.Rig
	server   keyserver.Server
	spoil    func(http.Handler) http.Handler // how the service answers the function
	function *rig.Function
	secret   string   // its ARN
	keys     []string // that the secret has had
}

func newWorld(t *testing.T, fault localtls.Fault) *world {
	t.Helper()
	w := &world{spoil: func(h http.Handler) http.Handler { return h }}
	w.Rig = must(rig.Open(local.Options{Backoff: func(int) time.Duration { return 0 }}))(t)
	t.Cleanup(func() { w.finish(t) })
	ca := must(localtls.New())(t)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, q *http.Request) { w.spoil(&w.server).ServeHTTP(rw, q) }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of TLS handshakes that have to fail
	server.TLS = &tls.Config{Certificates: []tls.Certificate{must(ca.Faulty(fault, "127.0.0.1"))(t).TLS}}
	server.StartTLS()
	t.Cleanup(server.Close)
	doc := newClient(&w.server, server.Listener.Addr().String())
	w.secret = must(w.CreateSecret(t.Context(), "app", string(doc.Bytes())))(t)
	w.function = must(w.Start(local.FunctionConfig{Bootstrap: must(build())(t), Env: map[string]string{"CA_BUNDLE": string(ca.PEM())}}))(t)
	w.saw(t)
	return w
}

// finish closes the rig, and searches all that the function wrote for what must not be there.
func (w *world) finish(t *testing.T) {
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	for _, sensitive := range append(w.RotationTokens(), w.keys...) {
		if strings.Contains(w.function.Log(), sensitive) {
			t.Errorf("a key or a RotationToken is in\n%s", w.function.Log())
		}
	}
}

// saw notes the current key, if it is new.
func (w *world) saw(t *testing.T) {
	t.Helper()
	if key := w.value(t).Text("key"); len(w.keys) == 0 || w.keys[len(w.keys)-1] != key {
		w.keys = append(w.keys, key)
	}
}

func (w *world) value(t *testing.T) secret.Document {
	t.Helper()
	return must(secret.Parse([]byte(must(w.Value(t.Context(), w.secret, "AWSCURRENT"))(t))))(t)
}

// wantKeys checks that of all keys the last two work.
func (w *world) wantKeys(t *testing.T) {
	t.Helper()
	client := w.value(t).Text("username")
	for i, key := range w.keys {
		age := len(w.keys) - 1 - i
		if works := w.server.Accepts(client, key); works != (age < keyserver.MaxKeys) {
			t.Errorf("the key of %d rotations ago works: %v", age, works)
		}
	}
}

func TestThreeRotationsInARow(t *testing.T) {
	w := newWorld(t, localtls.NoFault)
	for n := range 3 {
		rotated, err := w.Rotate(t.Context(), w.secret, w.function)
		if err != nil {
			t.Fatal(err)
		}
		want := 11
		if n > 0 {
			want = 12 // AWSPREVIOUS too
		}
		if rotated.Calls() != want || w.server.Refused() != 0 {
			t.Errorf("rotation %d: %d calls to Secrets Manager, want %d; %d keys refused", n, rotated.Calls(), want, w.server.Refused())
		}
		w.saw(t)
		w.wantKeys(t)
	}
	if len(w.keys) != 4 || !strings.Contains(w.function.Log(), `"Engine":"apikey"`) {
		t.Errorf("there were %d keys, want 4; the log is\n%s", len(w.keys), w.function.Log())
	}
}

func TestATrialChangesNothing(t *testing.T) {
	w := newWorld(t, localtls.NoFault)
	before := w.server.State()
	if _, err := w.Try(t.Context(), w.secret, w.function); err != nil {
		t.Error(err)
	}
	if w.saw(t); w.server.State() != before || len(w.keys) != 1 {
		t.Errorf("the keys became %s, and were %s", w.server.State(), before)
	}
}

func TestAServiceThatCannotBeTrustedGetsNoKey(t *testing.T) {
	for _, fault := range []localtls.Fault{localtls.OtherCA, localtls.Expired, localtls.WrongName} {
		w := newWorld(t, fault)
		w.spoil = func(h http.Handler) http.Handler { t.Error("a request came through"); return h }
		if _, err := w.Rotate(t.Context(), w.secret, w.function); rig.ErrorType(err) != "Rotation.TLS" {
			t.Errorf("fault %d: got %v", fault, err)
		}
	}
}

// A kill ends the function at the n-th request to the service, before or after that has its effect.
type kill struct {
	n    int
	late bool
}

func TestAKilledFunctionLocksNobodyOutAndTheRetryConverges(t *testing.T) {
	w := newWorld(t, localtls.NoFault)
	if _, err := w.Rotate(t.Context(), w.secret, w.function); err != nil {
		t.Fatal(err)
	}
	w.saw(t)
	for n := range 4 { // from here on each rotation has four
		for _, late := range []bool{false, true} {
			t.Run(fmt.Sprintf("request %d, late=%v", n, late), func(t *testing.T) {
				w.killed(t, kill{n, late})
			})
		}
	}
}

// killed rotates while the function is killed once. The service of Secrets Manager runs the rotation again.
func (w *world) killed(t *testing.T, k kill) {
	requests, key := 0, w.value(t)
	w.spoil = func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, q *http.Request) {
			if requests++; requests-1 != k.n {
				h.ServeHTTP(rw, q)
				return
			}
			if k.late {
				h.ServeHTTP(httptest.NewRecorder(), q)
			}
			if err := w.function.Restart(); err != nil {
				t.Error(err)
			}
			if !w.server.Accepts(key.Text("username"), key.Text("key")) {
				t.Error("AWSCURRENT is locked out")
			}
		})
	}
	rotated, err := w.Rotate(t.Context(), w.secret, w.function)
	if err != nil || requests <= k.n || len(rotated.Steps) <= 4 {
		t.Fatalf("%d requests, %d steps, %v", requests, len(rotated.Steps), err)
	}
	w.saw(t)
	w.wantKeys(t)
}

func TestAFailureHasItsClass(t *testing.T) {
	w := newWorld(t, localtls.NoFault)
	account := must(readAccount(w.value(t)))(t)
	w.server.Add(account.client, rand.Text()) // the key of the secret is no longer one
	if _, err := w.Rotate(t.Context(), w.secret, w.function); rig.ErrorType(err) != "Rotation.LoginRefused" || !strings.Contains(err.Error(), account.host) {
		t.Errorf("got %v", err)
	}
}
