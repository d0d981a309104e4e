package mysql_test

import (
	"errors"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/mysql/mysqltest"
)

// The wire-level server is all there is for this: what it knows of old passwords is our reading of MySQL's manual and
// source.
const retains = "GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO app@`%`"

// newApp makes the user app with the password first.
func newApp(t *testing.T, version string, statements ...string) *world {
	t.Helper()
	w := newWorld(t, startWire(t, mysqltest.WireConfig{Version: version}))
	w.exec(t, "CREATE USER app@`%` IDENTIFIED BY 'first'")
	w.exec(t, statements...)
	return w
}

// set sets the password of app in a new session, which asks for an overlap or not.
func (w *world) set(t *testing.T, as, with, password string, overlap bool) error {
	t.Helper()
	l := w.login(as, with)
	l.Overlap = overlap
	c := w.open(t, l)
	defer c.Close()
	if _, err := c.(database.Overlapper).Overlaps(t.Context(), "app"); err != nil {
		return err
	}
	return c.SetPassword(t.Context(), "app", password)
}

func (w *world) wantPasswords(t *testing.T, primary, secondary string) {
	t.Helper()
	if p, s := w.server.Wire().Passwords("app", "%"); p != primary || s != secondary {
		t.Errorf("the passwords are %q and %q, want %q and %q", p, s, primary, secondary)
	}
}

func TestTheOldPasswordIsKeptWhereItCanBe(t *testing.T) {
	for _, c := range []struct {
		name, version string
		grants        []string
		overlap, kept bool
	}{
		{"MySQL 8", "8.0.14", []string{retains}, true, true},
		{"MySQL 9", "9.1.0", []string{retains}, true, true},
		{"too old", "8.0.13", []string{retains}, true, false},
		{"5.7", "5.7.44", nil, true, false},
		{"no privilege", "8.4.3", nil, true, false},
		{"PASSWORD_OVERLAP=off", "8.4.3", []string{retains}, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newApp(t, c.version, c.grants...)
			if err := w.set(t, "app", "first", "second", c.overlap); err != nil {
				t.Fatal(err)
			}
			if c.kept {
				w.wantPasswords(t, "second", "first")
			} else {
				w.wantPasswords(t, "second", "")
			}
		})
	}
}

func TestALeftOverPasswordIsDiscardedWhereOverlapIsOff(t *testing.T) {
	for _, as := range []string{"app", "admin"} {
		w := newApp(t, "8.4.3", retains, "ALTER USER app@`%` IDENTIFIED BY 'second' RETAIN CURRENT PASSWORD")
		password := "second"
		if as == "admin" {
			password = w.server.AdminPassword
		}
		if err := w.set(t, as, password, "third", false); err != nil {
			t.Fatal(err)
		}
		w.wantPasswords(t, "third", "")
	}
}

// After a rotation that was given up, AWSCURRENT's password is the old one of two. The next rotation must keep it, and
// not the one that nobody has.
func TestAnAbandonedRotationDoesNotCostTheCurrentPassword(t *testing.T) {
	w := newApp(t, "8.4.3", retains, "ALTER USER app@`%` IDENTIFIED BY 'abandoned' RETAIN CURRENT PASSWORD")
	if err := w.set(t, "app", "first", "second", true); err != nil {
		t.Fatal(err)
	}
	w.wantPasswords(t, "second", "first")
}

func TestAPasswordThatHasToBeProvenIsProven(t *testing.T) {
	for _, overlap := range []bool{false, true} {
		w := newApp(t, "8.4.3", "ALTER USER app@`%` PASSWORD REQUIRE CURRENT", retains)
		if err := w.set(t, "app", "first", "second", overlap); err != nil {
			t.Errorf("overlap %v: %v", overlap, err)
		}
	}
}

func TestAnEmptyOldPasswordIsNotKept(t *testing.T) {
	w := newApp(t, "8.4.3", "ALTER USER app@`%` IDENTIFIED BY ''")
	if err := w.set(t, w.server.AdminUser, w.server.AdminPassword, "second", true); err != nil {
		t.Fatal(err)
	}
	w.wantPasswords(t, "second", "")
}

func TestUsersThatAlternateKeepNoOldPassword(t *testing.T) {
	w := newApp(t, "8.4.3")
	c := w.administrator(t)
	for _, password := range []string{"second", "third"} {
		if err := c.SetPassword(t.Context(), "app", password); err != nil {
			t.Fatal(err)
		}
		w.wantPasswords(t, password, "")
	}
}

func TestALostReplyIsUnreachableAndTheStepMayRunAgain(t *testing.T) {
	w := newApp(t, "8.4.3", retains)
	w.server.Wire().DropReply("RETAIN CURRENT PASSWORD")
	err := w.set(t, "app", "first", "second", true)
	if !rotation.Retryable(err) {
		t.Errorf("got %v", err)
	}
	wantClass(t, err, rotation.Unreachable, "")
	w.wantPasswords(t, "second", "first")
	if errors.Is(err, database.ErrLoginRefused) {
		t.Error("it leads to another password")
	}
}

func TestMySQLsLimitOfNamesIsTold(t *testing.T) {
	w := newApp(t, "8.4.3")
	long := "a_name_of_33_characters_is_no_use"
	c := w.administrator(t)
	wantClass(t, c.SetPassword(t.Context(), long, "x"), rotation.BadSecret, "32")
	wantClass(t, c.(database.Cloner).CloneUser(t.Context(), "app", long, "x"), rotation.BadSecret, "32")
	wantClass(t, c.(database.Preflighter).Preflight(t.Context(), "app", long), rotation.BadSecret, "32")
}
