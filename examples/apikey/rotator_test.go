package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/examples/apikey/keyserver"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/rotation/rotationtest"
	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/local/localtls"
)

func TestConformance(t *testing.T) {
	server := &keyserver.Server{}
	host, transport := start(t, server)
	rotationtest.Run(t, rotationtest.Harness{
		Name: "apikey", Credential: "key", Place: []string{"host", "username"}, Overlap: true,
		New: func(_ testing.TB, f *rotationtest.Faults) rotationtest.Target {
			return rotationtest.Target{
				Rotator: newRotator(f.Transport(transport)),
				Secrets: [2]secret.Document{newClient(server, host), newClient(server, host)},
				Works: func(_ context.Context, value secret.Document) (bool, error) {
					return server.Accepts(value.Text("username"), value.Text("key")), nil
				},
				State:   server.State,
				Refused: server.Refused,
			}
		},
	})
}

// newClient makes a client with a key, and returns its secret.
func newClient(server *keyserver.Server, host string) secret.Document {
	client, key := "client-"+rand.Text(), rand.Text()
	server.Add(client, key)
	return secret.Document{}.With("host", host).With("username", client).With("key", key)
}

// start serves handler by TLS, and returns its address with a transport that
// trusts it.
func start(t *testing.T, handler http.Handler) (host string, transport *http.Transport) {
	t.Helper()
	ca, err := localtls.New()
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := ca.Server("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(handler)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate.TLS}}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String(), &http.Transport{TLSClientConfig: &tls.Config{RootCAs: ca.Pool()}}
}

// rotating is an engine with a secret of one client, "s".
func rotating(t *testing.T, transport http.RoundTripper, doc secret.Document) (*rotation.Engine, *rotationtest.Store) {
	t.Helper()
	store := &rotationtest.Store{}
	store.Add("s", doc)
	return &rotation.Engine{Store: store, Rotator: newRotator(transport), Clock: &rotationtest.Clock{}, Log: slog.New(slog.DiscardHandler)}, store
}

// class is that of an engine's error.
func class(err error) rotation.Class {
	if e, ok := errors.AsType[*rotation.Error](err); ok {
		return e.Class
	}
	return ""
}

func TestOnlyTheKeyThatWasReplacedIsRevoked(t *testing.T) {
	for name, previous := range map[string]string{
		"a first rotation":                           "",
		"AWSPREVIOUS has the key of AWSCURRENT":      "the same",
		"AWSPREVIOUS has a key that is long revoked": "an old one",
	} {
		t.Run(name, func(t *testing.T) {
			server := &keyserver.Server{}
			host, transport := start(t, server)
			doc := newClient(server, host)
			e, store := rotating(t, transport, doc)
			foreign := doc.With("key", rand.Text())
			if err := newRotator(transport).add(t.Context(), must(readAccount(doc))(t), digestOf(foreign.Text("key"))); err != nil {
				t.Fatal(err)
			}
			if previous == "the same" {
				previous = doc.Text("key")
			}
			if previous != "" {
				store.Write("s", "before", doc.With("key", previous))
				store.Stage("s", rotation.Previous, "before")
			}
			before := server.State()
			trial := func() error {
				store.Begin("s", "v1")
				return e.Handle(t.Context(), rotation.Event{Step: rotation.TestSecret, SecretID: "s", Token: "v1"})
			}
			for name, err := range map[string]error{"trial": trial(), "rotation": rotationtest.Rotate(t.Context(), e, store, "s", "v1")} {
				if class(err) != tooManyKeys || !strings.Contains(err.Error(), "Revoke the client's key") {
					t.Errorf("the %s ended with %v", name, err)
				}
			}
			if server.State() != before {
				t.Errorf("the keys became %s, and were %s", server.State(), before)
			}
		})
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	elsewhere := &keyserver.Server{}
	other, _ := start(t, elsewhere)
	host, transport := start(t, http.RedirectHandler("https://"+other+"/keys", http.StatusTemporaryRedirect))
	e, store := rotating(t, transport, secret.Document{}.With("host", host).With("username", "shop").With("key", rand.Text()))
	if err := rotationtest.Rotate(t.Context(), e, store, "s", "v1"); class(err) != rotation.Unknown || !strings.Contains(err.Error(), "307 Temporary Redirect") {
		t.Errorf("got %v", err)
	}
	if elsewhere.Refused() != 0 {
		t.Error("a key was sent elsewhere")
	}
}

func TestEachAnswerHasItsClass(t *testing.T) {
	for status, want := range map[int]rotation.Class{
		http.StatusUnauthorized:        rotation.LoginRefused,
		http.StatusForbidden:           rotation.MissingPrivilege,
		http.StatusConflict:            rotation.Unknown,
		http.StatusTooManyRequests:     rotation.Unavailable,
		http.StatusInternalServerError: rotation.Unavailable,
		http.StatusOK:                  rotation.Unavailable, // without the JSON that belongs to it
	} {
		calls := 0
		host, transport := start(t, http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			calls++
			http.Error(w, q.Header.Get("Authorization"), status)
		}))
		doc := secret.Document{}.With("host", host).With("username", "shop").With("key", rand.Text())
		e, store := rotating(t, transport, doc)
		err := rotationtest.Rotate(t.Context(), e, store, "s", "v1")
		if class(err) != want || strings.Contains(err.Error(), doc.Text("key")) {
			t.Errorf("%d: got %v, want %s", status, err, want)
		}
		if again := calls > 1; again != (want == rotation.Unavailable) {
			t.Errorf("%d: %d calls", status, calls)
		}
	}
}

func TestSecretsThatAreNotWholeAreNamed(t *testing.T) {
	whole := secret.Document{}.With("host", "h").With("username", "shop").With("key", "some key")
	for _, field := range []string{"host", "username", "key"} {
		e, store := rotating(t, http.DefaultTransport, whole.With(field, ""))
		if err := rotationtest.Rotate(t.Context(), e, store, "s", "v1"); class(err) != rotation.BadSecret || !strings.Contains(err.Error(), field) {
			t.Errorf("without %s: %v", field, err)
		}
	}
	e, store := rotating(t, http.DefaultTransport, whole.With("host", "user@host/path"))
	if err := rotationtest.Rotate(t.Context(), e, store, "s", "v1"); class(err) != rotation.BadSecret {
		t.Errorf("with a host that is none: %v", err)
	}
}

// must is for calls that have to succeed: must(call())(t) is their result.
func must[T any](out T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}
