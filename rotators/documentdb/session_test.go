package documentdb_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/documentdb/documentdbtest"
)

// connect logs in with a secret's value, as the steps do.
func (w *world) connect(t *testing.T, user, password string) (database.Conn, error) {
	t.Helper()
	return w.rotor(t, database.SingleUser, w.secret(t, user, password)).rotator.Connect(t.Context(), w.secret(t, user, password))
}

func TestASessionIsOneLogin(t *testing.T) {
	eachWire(t, func(t *testing.T, w *world) {
		user := w.user(t, "admin", w.name("app"), "first password")
		mark, open := w.server.Mark(), w.server.Connections()
		conn, err := w.connect(t, user, "first password")
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.Check(t.Context()); err != nil {
			t.Error(err)
		}
		if err := conn.SetPassword(t.Context(), user, "second password"); err != nil {
			t.Error(err)
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		if accepted, refused := w.server.Logins(mark); accepted != 1 || refused != 0 {
			t.Errorf("%d logins and %d refused", accepted, refused)
		}
		w.wantConnections(t, open)
	})
}

func TestEveryMechanismIsOneLogin(t *testing.T) {
	eachWire(t, func(t *testing.T, w *world) {
		for _, mechanism := range []string{"SCRAM-SHA-1", "SCRAM-SHA-256"} {
			if w.server.Engine == "documentdb" && mechanism == "SCRAM-SHA-256" {
				continue // the flavour negotiates no mechanism
			}
			user := w.user(t, "admin", w.name(mechanism), "first password", bson.E{Key: "mechanisms", Value: bson.A{mechanism}})
			mark := w.server.Mark()
			doc := w.rotor(t, database.SingleUser, w.secret(t, user, "first password")).must(t)
			if accepted, refused := w.server.Logins(mark); accepted != 2 || refused != 0 {
				t.Errorf("%s: %d logins and %d refused", mechanism, accepted, refused)
			}
			if err := w.probe(t.Context(), doc); err != nil {
				t.Error(err)
			}
			if got := fmt.Sprint(w.info(t, "admin", user)["mechanisms"]); got != "["+mechanism+"]" {
				t.Errorf("the mechanisms became %s", got)
			}
		}
	})
}

// A refused login is the only one that the server sees, also when the driver says goodbye.
func TestARefusedLoginIsTriedOnce(t *testing.T) {
	eachWire(t, func(t *testing.T, w *world) {
		user := w.user(t, "admin", w.name("app"), "right password")
		for _, name := range []string{user, w.name("nobody")} {
			mark, open := w.server.Mark(), w.server.Connections()
			_, err := w.connect(t, name, "wrong password")
			if !errors.Is(err, database.ErrLoginRefused) {
				t.Errorf("got %v", err)
			}
			if accepted, refused := w.server.Logins(mark); accepted != 0 || refused != 1 {
				t.Errorf("%d logins and %d refused", accepted, refused)
			}
			w.wantConnections(t, open)
		}
	})
}

// wantConnections waits until the server has seen the end of all connections but those.
func (w *world) wantConnections(t *testing.T, want int) {
	t.Helper()
	for range 100 {
		if w.server.Connections() == want {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d connections are open, want %d", w.server.Connections(), want)
}

func TestClosedSessionsLeaveNoGoroutines(t *testing.T) {
	w := own(t, documentdbtest.Config{ReplicaSet: true})
	user := w.user(t, "admin", w.name("app"), "right password")
	const open = 4 // the test's own: to each member, and the one that is logged in
	w.wantConnections(t, open)
	before := runtime.NumGoroutine()
	for range 5 {
		for _, password := range []string{"right password", "wrong password"} {
			start := time.Now()
			if conn, err := w.connect(t, user, password); err == nil {
				_ = conn.Close()
			}
			if d := time.Since(start); d > time.Second {
				t.Errorf("a session took %v", d)
			}
		}
	}
	w.wantConnections(t, open)
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	stacks := make([]byte, 1<<16)
	t.Errorf("%d goroutines, were %d\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
}

// A connection that breaks after the password was changed ends the session: the driver must not log in again with the
// password that is no longer valid.
func TestALostConnectionIsNoSecondLogin(t *testing.T) {
	eachWire(t, func(t *testing.T, w *world) {
		user := w.user(t, "admin", w.name("app"), "first password")
		r := w.rotor(t, database.SingleUser, w.secret(t, user, "first password"))
		w.server.Inject(documentdbtest.Fault{Command: "updateUser", Drop: true})
		defer w.server.Heal()
		mark := w.server.Mark()
		doc := r.must(t)
		if err := w.probe(t.Context(), doc); err != nil {
			t.Error(err)
		}
		// One with the old password; after the loss, the retry is refused with it and goes on with the new one.
		if _, refused := w.server.Logins(mark); refused != 1 {
			t.Errorf("%d logins were refused, want the one of the retry", refused)
		}
	})
}

// What DocumentDB's manual does not tell must stop nobody.
func TestDocumentDBNeedNotShowAUserToItself(t *testing.T) {
	w := own(t, documentdbtest.Config{Flavour: documentdbtest.DocumentDB})
	user := w.user(t, "admin", w.name("app"), "first password")
	r := w.rotor(t, database.SingleUser, w.secret(t, user, "first password"))
	var log strings.Builder
	r.engine.Log = slog.New(slog.NewTextHandler(&log, nil))
	w.server.Inject(documentdbtest.Fault{Command: "usersInfo", Code: 13, Message: "not authorized", Times: 2})
	if err := r.trial(t); err != nil {
		t.Errorf("the trial: %v", err)
	}
	r.store.End("user")
	if err := w.probe(t.Context(), r.must(t)); err != nil {
		t.Error(err)
	}
	w.server.Heal()
	for _, says := range []string{"may not view the user", "does not tell what"} {
		if !strings.Contains(log.String(), says) {
			t.Errorf("the log does not say %q: %s", says, log.String())
		}
	}
}

func TestAPasswordInClearTextIsNoted(t *testing.T) {
	w := own(t, documentdbtest.Config{Plain: true})
	user := w.user(t, "admin", w.name("app"), "first password")
	for _, s := range []database.Strategy{database.SingleUserByAdministrator, database.AlternatingUsers} {
		r := w.rotor(t, s, w.secret(t, user, "first password"))
		var log strings.Builder
		r.engine.Log = slog.New(slog.NewTextHandler(&log, nil))
		doc := r.must(t)
		if !strings.Contains(log.String(), "clear text") || strings.Contains(log.String(), doc.Text("password")) {
			t.Errorf("the log is %s", log.String())
		}
		w.run(t, "admin", bson.D{{Key: "updateUser", Value: user}, {Key: "pwd", Value: "first password"}})
	}
}

// A session that was idle for too long, or whose server went, is over. The step runs again.
func TestASessionNeverLogsInTwice(t *testing.T) {
	for _, c := range []documentdbtest.Config{{}, {ReplicaSet: true}} {
		w := own(t, c)
		user := w.user(t, "admin", w.name("app"), "first password")
		conn, err := w.connect(t, user, "first password")
		if err != nil {
			t.Fatal(err)
		}
		mark := w.server.Mark()
		w.server.HangUp()
		for range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second) // the driver looks for the server twice a second
			if err = conn.Check(ctx); err == nil {
				t.Error("the session goes on")
			}
			cancel()
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		for _, e := range w.server.Entries(mark) {
			if e.User == user {
				t.Errorf("after the connection was lost: %s", e.Command)
			}
		}
	}
}

func TestPasswordsAreInCommandsThatSetThemAlone(t *testing.T) {
	eachWire(t, func(t *testing.T, w *world) {
		user := w.user(t, "admin", w.name("app"), "first password!")
		mark, passwords := w.server.Mark(), []string{"first password!"}
		for _, s := range []database.Strategy{database.SingleUser, database.SingleUserByAdministrator, database.AlternatingUsers} {
			r := w.rotor(t, s, w.secret(t, user, passwords[len(passwords)-1]))
			for range 2 {
				passwords = append(passwords, r.must(t).Text("password"))
			}
		}
		var setters []string
		for _, e := range w.server.Entries(mark) {
			for _, p := range passwords {
				if strings.Contains(e.Text, p) {
					setters = append(setters, e.Command)
				}
			}
		}
		slices.Sort(setters)
		if got := slices.Compact(setters); !slices.Equal(got, []string{"createUser", "updateUser"}) || len(setters) != 6 {
			t.Errorf("passwords are in %v", setters)
		}
		if _, refused := w.server.Logins(mark); refused != 0 {
			t.Errorf("%d logins were refused", refused)
		}
	})
}

func TestWritesWaitForAMajority(t *testing.T) {
	w := own(t, documentdbtest.Config{ReplicaSet: true})
	user := w.user(t, "admin", w.name("app"), "first password")
	mark := w.server.Mark()
	r := w.rotor(t, database.AlternatingUsers, w.secret(t, user, "first password"))
	r.must(t)
	r.must(t)
	for _, e := range w.server.Entries(mark) {
		if (e.Command == "createUser" || e.Command == "updateUser") && !strings.Contains(e.Text, `"writeConcern":{"w":"majority"}`) {
			t.Errorf("%s without a write concern", e.Command)
		}
	}
	// A write that no majority has yet may be lost: it is written again.
	w.server.Inject(documentdbtest.Fault{Command: "updateUser", WriteConcern: true})
	if err := w.probe(t.Context(), r.must(t)); err != nil {
		t.Error(err)
	}
}

func TestConnectingEndsWithItsContext(t *testing.T) {
	w := own(t, documentdbtest.Config{})
	user := w.user(t, "admin", w.name("app"), "first password")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	doc := w.secret(t, user, "first password")
	if _, err := w.rotor(t, database.SingleUser, doc).rotator.Connect(ctx, doc); err == nil || errors.Is(err, database.ErrLoginRefused) {
		t.Errorf("got %v", err)
	}
}

func TestUsersOfTheServerItselfAreNotRotated(t *testing.T) {
	w := own(t, documentdbtest.Config{})
	for _, name := range []string{"serviceadmin", "__system"} {
		if err := w.rotor(t, database.SingleUser, w.secret(t, name, "x")).rotate(t); class(err) != rotation.BadSecret {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
