package documentdb_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/rotators/documentdb/documentdbtest"
)

// connect logs in with a secret's value, as the steps do.
func (w *world) connect(t *testing.T, user, password string) (database.Conn, error) {
	t.Helper()
	return w.rotor(t, database.SingleUser, w.secret(t, user, password)).rotator.Connect(t.Context(), w.secret(t, user, password))
}

func TestASessionIsOneLogin(t *testing.T) {
	eachOurs(t, func(t *testing.T, w *world) {
		user := w.user(t, "admin", w.name("app"), "first password")
		mark := w.server.Mark()
		conn, err := w.connect(t, user, "first password")
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.Check(t.Context()); err != nil {
			t.Error(err)
		}
		if err := conn.SetPassword(t.Context(), databasetest.Change(user, "second password")); err != nil {
			t.Error(err)
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		if accepted, refused := w.server.LoginsSince(mark); accepted != 1 || refused != 0 {
			t.Errorf("%d logins and %d refused", accepted, refused)
		}
		w.wantNoConnections(t, mark)
	})
}

func TestEveryMechanismIsOneLogin(t *testing.T) {
	eachOurs(t, func(t *testing.T, w *world) {
		for _, mechanism := range []string{"SCRAM-SHA-1", "SCRAM-SHA-256"} {
			user := w.user(t, "admin", w.name(mechanism), "first password", bson.E{Key: "mechanisms", Value: bson.A{mechanism}})
			mark, guesses := w.server.Mark(), 0
			if strings.HasPrefix(w.server.Version, "4.4") && mechanism == "SCRAM-SHA-1" {
				// The client library begins with SCRAM-SHA-256. MongoDB 4.4 tells in its log that this failed, and goes on.
				guesses = 3
			}
			doc := w.rotor(t, database.SingleUser, w.secret(t, user, "first password")).must(t)
			if accepted, refused := w.server.LoginsSince(mark); accepted != 3 || refused != guesses {
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
	eachOurs(t, func(t *testing.T, w *world) {
		user := w.user(t, "admin", w.name("app"), "right password")
		for _, name := range []string{user, w.name("nobody")} {
			mark := w.server.Mark()
			_, err := w.connect(t, name, "wrong password")
			if !errors.Is(err, database.ErrLoginRefused) {
				t.Errorf("got %v", err)
			}
			if accepted, refused := w.server.LoginsSince(mark); accepted != 0 || refused != 1 {
				t.Errorf("%d logins and %d refused", accepted, refused)
			}
			w.wantNoConnections(t, mark)
		}
	})
}

// wantNoConnections waits until the server has seen the end of all connections since a mark.
func (w *world) wantNoConnections(t *testing.T, mark servertest.Mark) {
	t.Helper()
	w.await(t, "the connections end", func() bool { return w.server.Open(mark) == 0 })
}

// await waits until something is so.
func (w *world) await(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Errorf("it did not come to pass that %s", what)
			return
		}
	}
}

func TestClosedSessionsLeaveNoGoroutines(t *testing.T) {
	w := own(t, documentdbtest.Config{ReplicaSet: true})
	user := w.user(t, "admin", w.name("app"), "right password")
	before, mark := runtime.NumGoroutine(), w.server.Mark()
	for range 5 {
		for _, password := range []string{"right password", "wrong password"} {
			start := time.Now()
			if conn, err := w.connect(t, user, password); err == nil {
				_ = conn.Close()
			}
			if d := time.Since(start); d > 2*time.Second {
				t.Errorf("a session took %v", d)
			}
		}
	}
	w.wantNoConnections(t, mark)
	w.await(t, "the goroutines end", func() bool { return runtime.NumGoroutine() <= before })
	if t.Failed() {
		stacks := make([]byte, 1<<16)
		t.Errorf("%d goroutines, were %d\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
	}
}

// A connection that breaks after the password was changed ends the session: the driver must not log in again with the
// password that is no longer valid.
func TestALostConnectionIsNoSecondLogin(t *testing.T) {
	plain := documentdbtest.Config{Options: servertest.NoTLS()}
	for _, w := range []*world{own(t, plain), ownDocumentDB(t, plain)} {
		user := w.user(t, "admin", w.name("app"), "first password")
		p := &tap{word: "updateUser", lose: true}
		r := w.rotor(t, database.SingleUser, w.secret(t, user, "first password"), p.on)
		mark := w.server.Mark()
		doc := r.must(t)
		if err := w.probe(t.Context(), doc); err != nil {
			t.Error(err)
		}
		// One with the old password; after the loss, the retry is refused with it and goes on with the new one.
		if _, refused := w.server.LoginsSince(mark); refused != 1 || !p.done {
			t.Errorf("%d logins were refused, want the one of the retry", refused)
		}
	}
}

// What DocumentDB's manual does not tell must stop nobody.
func TestDocumentDBNeedNotShowAUserToItself(t *testing.T) {
	w := ownDocumentDB(t, documentdbtest.Config{})
	user := w.user(t, "admin", w.name("app"), "first password")
	r := w.rotor(t, database.SingleUser, w.secret(t, user, "first password"))
	var log strings.Builder
	r.engine.Log = slog.New(slog.NewTextHandler(&log, nil))
	w.server.Inject(t, documentdbtest.Fault{Command: "usersInfo", Code: 13, Times: 2})
	if err := r.trial(t); err != nil {
		t.Errorf("the trial: %v", err)
	}
	r.store.End("user")
	if err := w.probe(t.Context(), r.must(t)); err != nil {
		t.Error(err)
	}
	if says := "may not view the user"; !strings.Contains(log.String(), says) {
		t.Errorf("the log does not say %q: %s", says, log.String())
	}
}

func TestAPasswordInClearTextIsNoted(t *testing.T) {
	w := own(t, documentdbtest.Config{Options: servertest.NoTLS()})
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
	eachOurs(t, func(t *testing.T, w *world) {
		user, p := w.user(t, "admin", w.name("app"), "first password"), &tap{}
		doc := w.secret(t, user, "first password")
		conn, err := w.rotor(t, database.SingleUser, doc, p.on).rotator.Connect(t.Context(), doc)
		if err != nil {
			t.Fatal(err)
		}
		mark := w.server.Mark()
		p.cut()
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
		if accepted, refused := w.server.LoginsSince(mark); accepted+refused != 0 || len(w.server.Entries(mark)) != 0 {
			t.Errorf("after the connection was lost: %s", w.server.LogSince(mark))
		}
	})
}

// MongoDB leaves the passwords out of its log, in which there is each command. The imitation's log has the commands as
// they came.
func TestPasswordsAreInCommandsThatSetThemAlone(t *testing.T) {
	eachOurs(t, func(t *testing.T, w *world) {
		user := w.user(t, "admin", w.name("app"), "first password!")
		mark, passwords := w.server.Mark(), []string{"first password!"}
		for _, s := range []database.Strategy{database.SingleUser, database.SingleUserByAdministrator, database.AlternatingUsers} {
			r := w.rotor(t, s, w.secret(t, user, passwords[len(passwords)-1]))
			for range 2 {
				passwords = append(passwords, r.must(t).Text("password"))
			}
		}
		setting := map[string]int{}
		for _, e := range w.server.Entries(mark) {
			if e.Command == "createUser" || e.Command == "updateUser" {
				setting[e.Command]++
			}
			for _, p := range passwords {
				if strings.Contains(e.Text, p) && (setting[e.Command] == 0 || w.server.Real) {
					t.Errorf("a password is in a command of the log: %s", e.Text)
				}
			}
		}
		if setting["createUser"] != 1 || setting["updateUser"] != 6 {
			t.Errorf("passwords were set by %v", setting)
		}
		for _, p := range passwords {
			if w.server.Real && strings.Contains(w.server.LogSince(mark), p) {
				t.Error("a password is in the log")
			}
		}
		if accepted, refused := w.server.LoginsSince(mark); accepted != 25 || refused != 0 {
			t.Errorf("%d logins, and %d were refused", accepted, refused)
		}
	})
}

func TestWritesWaitForAMajority(t *testing.T) {
	eachMongoDB(t, func(t *testing.T, w *world) {
		if !w.server.HasLog() {
			t.Skip("not covered: the log is out of reach")
		}
		mark := w.server.Mark()
		r := w.rotor(t, database.AlternatingUsers, w.secret(t, w.user(t, "admin", w.name("app"), "first password"), "first password"))
		r.must(t)
		r.must(t)
		writes := 0
		for _, e := range w.server.Entries(mark) {
			if e.Command == "createUser" || e.Command == "updateUser" {
				writes++
				if !strings.Contains(e.Text, `"writeConcern":{"w":"majority"}`) {
					t.Errorf("without a write concern: %s", e.Text)
				}
			}
		}
		if writes != 3 {
			t.Errorf("%d writes", writes)
		}
	})
}

// A write that no majority has yet may be lost: it is written again.
func TestAnUnreplicatedWriteIsRepeated(t *testing.T) {
	w := own(t, documentdbtest.Faulty())
	r := w.rotor(t, database.AlternatingUsers, w.secret(t, w.user(t, "admin", w.name("app"), "first password"), "first password"))
	for _, command := range []string{"createUser", "updateUser"} {
		w.server.Inject(t, documentdbtest.Fault{Command: command, Unreplicated: true, Times: 1})
		mark := w.server.Mark()
		if err := w.probe(t.Context(), r.must(t)); err != nil {
			t.Error(err)
		}
		if n := strings.Count(w.server.LogSince(mark), `"appName":"rotor","command":{"updateUser"`); n == 0 {
			t.Errorf("%s was not repeated", command)
		}
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
