package postgres_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/postgres"
)

// remedied runs the statements that a remedy prints after "As a superuser: ", and reports whether there were any.
func (w *world) remedied(t *testing.T, err error) bool {
	t.Helper()
	var e *rotation.Error
	if !errors.As(err, &e) {
		return false
	}
	_, statements, ok := strings.Cut(e.Remedy, "As a superuser: ")
	statements, _, _ = strings.Cut(statements, " or, once")
	if ok {
		w.exec(t, statements)
	}
	return ok
}

// helped says that a remedy of the class was executed.
func (w *world) helped(t *testing.T, c rotation.Class) {
	t.Helper()
	databasetest.Remedied(t, postgres.Driver, w.server.Title, w.server.Real, c)
}

// What an administrator who is no superuser may not do for a clone is found by the trial, and its remedy helps.
func TestWhatAnAdministratorLacksIsFoundByTheTrial(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for name, c := range map[string]struct {
			make  string // of the user %s
			until int    // the version since which its remedy is a statement, and not another administrator
		}{
			"REPLICATION":           {`ALTER ROLE %s REPLICATION`, 16},
			"BYPASSRLS":             {`ALTER ROLE %s BYPASSRLS`, 16},
			"CREATEDB":              {`ALTER ROLE %s CREATEDB`, 0},
			"all of them":           {`ALTER ROLE %s REPLICATION BYPASSRLS CREATEDB`, 16},
			"a superuser's setting": {`ALTER ROLE %s SET log_min_duration_statement = 0`, 0},
		} {
			t.Run(name, func(t *testing.T) {
				user := w.user(t, "", "old")
				admin, doc := w.administrator(t, "")
				w.exec(t, fmt.Sprintf(c.make, user))
				if w.server.Major >= 16 {
					w.exec(t, `GRANT `+user+` TO `+admin+` WITH ADMIN OPTION`)
				}
				r := w.rotor(t, database.AlternatingUsers, user, "old", doc)
				for n := 0; ; n++ {
					trial, rotation1 := r.Preflight(t), r.Rotate(t)
					if (trial == nil) != (rotation1 == nil) {
						t.Fatalf("the trial says %v, the rotation %v", trial, rotation1)
					}
					if trial == nil {
						break
					}
					if class(trial) != rotation.MissingPrivilege || class(rotation1) != rotation.MissingPrivilege {
						t.Fatalf("the trial says %v, the rotation %v", trial, rotation1)
					}
					if helped := w.remedied(t, trial); helped != (w.server.Major >= c.until) {
						t.Fatalf("the remedy is a statement: %v, of %v", helped, trial)
					} else if !helped {
						r.Store.Add("admin", w.superuser(t))
					}
					if n > 3 {
						t.Fatalf("remedy after remedy: %v", trial)
					}
				}
				r.Must(t)
				r.Must(t)
				w.helped(t, rotation.MissingPrivilege)
			})
		}
	})
}

// A clone that another function made owns what the application made with it. Its owner's administrator is no superuser.
func TestWhatAForeignCloneOwnsIsHandedOverByTheRemedy(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		user := w.user(t, "", "old")
		clone := user + "_clone"
		admin, doc := w.administrator(t, "")
		w.exec(t, `CREATE ROLE `+clone+` LOGIN PASSWORD 'its own'`, `GRANT `+user+` TO `+clone, `GRANT CREATE ON SCHEMA shop TO `+clone, `CREATE TABLE shop.orphan (n int)`, `ALTER TABLE shop.orphan OWNER TO `+clone)
		if w.server.Major >= 16 {
			w.exec(t, `GRANT `+user+`, `+clone+` TO `+admin+` WITH ADMIN OPTION, INHERIT FALSE, SET FALSE`)
		}
		r := w.rotor(t, database.AlternatingUsers, clone, "its own", doc)
		r.Config.Adopt = []string{user}
		for _, err := range []error{r.Preflight(t), r.Rotate(t)} {
			if class(err) != rotation.FewerRights || !strings.Contains(err.Error(), `REASSIGN OWNED BY "`+clone+`" TO "`+user+`";`) {
				t.Fatalf("got %v", err)
			}
		}
		w.box.Connect(t, user, "old") // still
		r.Config.GrantDrift = true
		trial, err := r.Preflight(t), r.Rotate(t)
		if class(trial) != rotation.MissingPrivilege || !strings.Contains(trial.Error(), databasetest.Remedy(t, err, "", "; or, once")) {
			t.Fatalf("the trial says %v, the rotation %v", trial, err)
		}
		if class(err) != rotation.MissingPrivilege || !w.remedied(t, err) {
			t.Fatalf("got %v", err)
		}
		r.Must(t)
		w.helped(t, rotation.FewerRights)
		r.Config.GrantDrift, r.Config.Adopt = false, nil
		r.Must(t)
		r.Must(t)
	})
}

func TestARoleThatMayNotLogInIsLetInByTheRemedy(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, strategy := range strategies {
			user := w.user(t, "", "old")
			r := w.rotor(t, strategy, user, "old", w.superuser(t))
			w.exec(t, `ALTER ROLE `+quoted(user)+` NOLOGIN`)
			err := r.Rotate(t)
			databasetest.Wants(t, err, rotation.AccountLocked)
			w.exec(t, databasetest.Remedy(t, err, "As an administrator: ", " then rotate again"))
			r.Must(t)
			w.helped(t, rotation.AccountLocked)
		}
	})
}

// Before PostgreSQL 16 a role with REPLICATION may not even set its own password.
func TestARoleForReplicationIsFoundByTheTrial(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, strategy := range []database.Strategy{database.SingleUser, database.SingleUserByAdministrator} {
			user := w.user(t, "", "old")
			admin, doc := w.administrator(t, "")
			w.exec(t, `ALTER ROLE `+quoted(user)+` REPLICATION`)
			if w.server.Major >= 16 {
				w.exec(t, `GRANT `+quoted(user)+` TO `+quoted(admin)+` WITH ADMIN OPTION`)
			}
			r := w.rotor(t, strategy, user, "old", doc)
			trial, rotated := r.Preflight(t), r.Rotate(t)
			if (trial == nil) != (rotated == nil) || (trial == nil) != (w.server.Major >= 16) {
				t.Fatalf("the trial says %v, the rotation %v", trial, rotated)
			}
			if trial != nil {
				remedy := databasetest.Remedy(t, trial, "As a superuser: ", " or use")
				if says := databasetest.Remedy(t, rotated, "As a superuser: ", " or use"); says != remedy {
					t.Errorf("the rotation says %q, the trial %q", says, remedy)
				}
				w.exec(t, remedy)
			}
			r.Must(t)
		}
	})
}
