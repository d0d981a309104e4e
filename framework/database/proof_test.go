package database_test

import (
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/rotation/rotationtest"
)

// turn runs the steps of a whole rotation, or those named.
func (f *fixture) turn(t *testing.T, version string, steps ...rotation.Step) error {
	t.Helper()
	if steps == nil {
		return rotationtest.Rotate(t.Context(), f.engine(t), &f.store, "user", version)
	}
	f.store.Begin("user", version)
	for _, s := range steps {
		if err := f.engine(t).Handle(t.Context(), rotation.Event{Step: s, SecretID: "user", Token: version}); err != nil {
			return err
		}
	}
	return nil
}

// logsIn reports whether a user of the database has the password.
func (f *fixture) logsIn(t *testing.T, user, password string) bool {
	t.Helper()
	r, err := database.New(f.config)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := r.Connect(t.Context(), f.store.Value("user", rotation.Current).With("username", user).With("password", password))
	if err == nil {
		_ = conn.Close()
	}
	return err == nil
}

// wantStranger wants a step to have refused the user, and to have left it alone.
func (f *fixture) wantStranger(t *testing.T, err error, user, password string, rights string) {
	t.Helper()
	if class(err) != rotation.NotItsTwin || !strings.Contains(err.Error(), "CLONE_ADOPT="+user) {
		t.Errorf("got %v", err)
	}
	if !f.logsIn(t, user, password) || strings.Join(f.Rights(user), " ") != rights {
		t.Errorf("the stranger %q was touched; it has the rights %q", user, f.Rights(user))
	}
}

func TestAUserIsNotTakenForAnothersTwinByItsName(t *testing.T) {
	for _, unmarked := range []bool{false, true} {
		for _, step := range [][]rotation.Step{{rotation.CreateSecret, rotation.SetSecret}, {rotation.TestSecret}} { // which is a trial
			// Two applications whose names happen to fit.
			f := newFixture(t, database.AlternatingUsers)
			f.Unmarked = unmarked
			f.Add("app_clone", "its own", false, "of its own")
			f.wantStranger(t, f.turn(t, "v1", step...), "app_clone", "its own", "of its own")

			// Whoever may create users makes a clone of a user that is nobody's.
			f = newFixture(t, database.AlternatingUsers)
			f.Unmarked = unmarked
			f.Add("boss", "boss's own", false, "everything")
			f.Add("boss_clone", "tenant's", false)
			f.store.Write("user", "v0", f.store.Value("user", rotation.Current).With("username", "boss_clone").With("password", "tenant's"))
			f.wantStranger(t, f.turn(t, "v1", step...), "boss", "boss's own", "everything")
		}
	}
}

func TestAPasswordOfTheSecretProvesAPair(t *testing.T) {
	clone := func(t *testing.T) *fixture {
		f := newFixture(t, database.AlternatingUsers)
		f.Unmarked = true
		if err := f.turn(t, "v1"); err != nil {
			t.Fatal(err)
		}
		return f
	}
	t.Run("AWSPREVIOUS's", func(t *testing.T) {
		f := clone(t)
		for _, version := range []string{"v2", "v3", "v4"} {
			if err := f.turn(t, version); err != nil {
				t.Fatal(err)
			}
		}
	})
	t.Run("AWSPENDING's, when setSecret runs again", func(t *testing.T) {
		f := clone(t)
		if err := f.turn(t, "v2", rotation.CreateSecret, rotation.SetSecret, rotation.SetSecret); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("AWSPENDING's, when the clone was made and no more", func(t *testing.T) {
		f := newFixture(t, database.AlternatingUsers)
		f.Unmarked = true
		if err := f.turn(t, "v1", rotation.CreateSecret); err != nil {
			t.Fatal(err)
		}
		f.Add("app_clone", f.store.Value("user", rotation.Pending).Text("password"), false)
		if err := f.turn(t, "v1", rotation.SetSecret, rotation.TestSecret); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("not that of another server", func(t *testing.T) {
		f := clone(t)
		f.store.Write("user", "v0", f.store.Value("user", rotation.Previous).With("host", "elsewhere"))
		f.wantStranger(t, f.turn(t, "v2", rotation.CreateSecret, rotation.SetSecret), "app", "old-password", "read write")
	})
}

// TestAnEditHidesTheTwinOfWhomNoMarkTells: PutSecretValue moves AWSPREVIOUS to a
// version of the user in use.
func TestAnEditHidesTheTwinOfWhomNoMarkTells(t *testing.T) {
	for _, unmarked := range []bool{false, true} {
		f := newFixture(t, database.AlternatingUsers)
		f.Unmarked = unmarked
		if err := f.turn(t, "v1"); err != nil {
			t.Fatal(err)
		}
		f.store.Write("user", "edit", f.store.Value("user", rotation.Current).With("keep", "other"))
		f.store.Stage("user", rotation.Previous, "v1")
		f.store.Stage("user", rotation.Current, "edit")
		err := f.turn(t, "v2", rotation.CreateSecret, rotation.SetSecret)
		if !unmarked {
			if err != nil {
				t.Errorf("with a mark: %v", err)
			}
			continue
		}
		f.wantStranger(t, err, "app", "old-password", "read write")
		f.config.Adopt = []string{"app_clone", "app"}
		if err := f.turn(t, "v2", rotation.SetSecret, rotation.TestSecret); err != nil {
			t.Errorf("adopted: %v", err)
		}
	}
}

func TestRightsAreComparedBeforeAPasswordIsSet(t *testing.T) {
	f := newFixture(t, database.AlternatingUsers)
	if err := f.turn(t, "v1"); err != nil {
		t.Fatal(err)
	}
	f.Grant("app_clone", "to the clone alone")
	for _, steps := range [][]rotation.Step{{rotation.TestSecret}, {rotation.CreateSecret, rotation.SetSecret}} {
		f.store.End("user")
		if err := f.turn(t, "v"+string(steps[0]), steps...); class(err) != rotation.FewerRights || !strings.Contains(err.Error(), "to the clone alone") {
			t.Errorf("%s: got %v", steps[0], err)
		}
		if !f.logsIn(t, "app", "old-password") {
			t.Error("AWSPREVIOUS's password was changed")
		}
	}
	// An original may have more: its clone gets it at its next turn.
	f.store.End("user")
	f.Revoke("app_clone", "to the clone alone")
	f.Grant("app", "to the original alone")
	for _, version := range []string{"v2", "v3"} {
		if err := f.turn(t, version); err != nil {
			t.Fatal(err)
		}
	}
	// What a clone has in addition, and cannot be taken from it.
	f.store.End("user")
	if err := f.turn(t, "v4"); err != nil {
		t.Fatal(err)
	}
	f.Stubborn = "granted by somebody else"
	if err := f.turn(t, "v5", rotation.CreateSecret, rotation.SetSecret); class(err) != rotation.MoreRights || !strings.Contains(err.Error(), f.Stubborn) {
		t.Errorf("got %v", err)
	}
}
