package postgres_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/rotation/rotationtest"
)

// A beyond is something that a clone has and its original does not. $CLONE, $APP, $TEAM, $LENDER and $DB are names, and $N is a number of the
// case's own; the lender has SELECT on shop.loans with the grant option.
type beyond struct {
	has   []string
	until int // the version since which it can be
}

var beyonds = map[string]beyond{
	"a right that its owner granted":        {has: []string{`GRANT DELETE ON shop.orders TO $CLONE`}},
	"a right that somebody else granted":    {has: []string{`SET ROLE $LENDER`, `GRANT SELECT ON shop.loans TO $CLONE`, `RESET ROLE`}},
	"a right that it has passed on":         {has: []string{`GRANT UPDATE ON shop.loans TO $CLONE WITH GRANT OPTION`, `SET SESSION AUTHORIZATION $CLONE`, `GRANT UPDATE ON shop.loans TO $TEAM`, `RESET SESSION AUTHORIZATION`}},
	"a right on a column":                   {has: []string{`SET ROLE $LENDER`, `GRANT SELECT (n) ON shop.loans TO $CLONE`, `RESET ROLE`}},
	"a right on a function":                 {has: []string{`GRANT EXECUTE ON FUNCTION shop.odd(shop.coin) TO $CLONE`}},
	"a right on a database":                 {has: []string{`GRANT CREATE, CONNECT ON DATABASE $DB TO $CLONE`}},
	"a right on a parameter":                {has: []string{`GRANT SET ON PARAMETER log_min_duration_statement TO $CLONE`}, until: 15},
	"a right on a large object":             {has: []string{`SELECT lo_create(47$N)`, `GRANT UPDATE ON LARGE OBJECT 47$N TO $CLONE`}},
	"its original's right":                  {has: []string{`GRANT UPDATE ON shop.loans TO $APP WITH GRANT OPTION`, `SET SESSION AUTHORIZATION $APP`, `GRANT UPDATE ON shop.loans TO $CLONE`, `RESET SESSION AUTHORIZATION`}},
	"rights on tables to come":              {has: []string{`ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO $CLONE`, `ALTER DEFAULT PRIVILEGES FOR ROLE $TEAM GRANT SELECT ON TABLES TO $CLONE`}},
	"rights that it gives on its tables":    {has: []string{`ALTER DEFAULT PRIVILEGES FOR ROLE $CLONE IN SCHEMA shop GRANT SELECT ON TABLES TO $TEAM`}},
	"a role":                                {has: []string{`GRANT $TEAM TO $CLONE`}},
	"a role with its option":                {has: []string{`GRANT $TEAM TO $CLONE WITH ADMIN OPTION`}},
	"a role's option":                       {has: []string{`GRANT $TEAM TO $APP`, `GRANT $TEAM TO $CLONE WITH ADMIN OPTION`}},
	"a role that it has passed on":          {has: []string{`GRANT $TEAM TO $CLONE WITH ADMIN OPTION`, `SET SESSION AUTHORIZATION $CLONE`, `GRANT $TEAM TO $LENDER`, `RESET SESSION AUTHORIZATION`}},
	"a role that somebody else granted":     {has: []string{`GRANT $TEAM TO $LENDER WITH ADMIN OPTION`, `SET SESSION AUTHORIZATION $LENDER`, `GRANT $TEAM TO $CLONE`, `RESET SESSION AUTHORIZATION`}},
	"a role that its original is, and idle": {has: []string{`GRANT $TEAM TO $APP WITH INHERIT FALSE`, `GRANT $TEAM TO $CLONE`, `GRANT DELETE ON shop.loans TO $TEAM`}, until: 16},
	"a server's own role":                   {has: []string{`GRANT pg_read_all_data TO $CLONE`}},
	"a superuser's role":                    {has: []string{`ALTER ROLE $TEAM SUPERUSER`, `GRANT $TEAM TO $CLONE`}},
	"a superuser's power":                   {has: []string{`ALTER ROLE $CLONE SUPERUSER`}},
	"powers":                                {has: []string{`ALTER ROLE $CLONE CREATEDB REPLICATION BYPASSRLS`}},
	"a power that both have":                {has: []string{`ALTER ROLE $APP REPLICATION`, `ALTER ROLE $CLONE REPLICATION`}},
	"a table":                               {has: []string{`CREATE TABLE shop.its$N (n int)`, `ALTER TABLE shop.its$N OWNER TO $CLONE`}},
	"a function":                            {has: []string{`CREATE FUNCTION closed.its$N() RETURNS int LANGUAGE sql AS 'SELECT 1'`, `ALTER FUNCTION closed.its$N() OWNER TO $CLONE`}},
	"a schema":                              {has: []string{`CREATE SCHEMA its$N AUTHORIZATION $CLONE`}},
	"a large object":                        {has: []string{`SELECT lo_create(48$N)`, `ALTER LARGE OBJECT 48$N OWNER TO $CLONE`}},
	"a database":                            {has: []string{`ALTER DATABASE $DB OWNER TO $CLONE`}},
	"a type":                                {has: []string{`CREATE DOMAIN shop.its$N AS int`, `ALTER DOMAIN shop.its$N OWNER TO $CLONE`}},
	"a foreign-data wrapper":                {has: []string{`CREATE FOREIGN DATA WRAPPER far$N`, `ALTER ROLE $CLONE SUPERUSER`, `ALTER FOREIGN DATA WRAPPER far$N OWNER TO $CLONE`, `ALTER ROLE $CLONE NOSUPERUSER`}},
	"a foreign server":                      {has: []string{`CREATE FOREIGN DATA WRAPPER far$N`, `CREATE SERVER elsewhere$N FOREIGN DATA WRAPPER far$N`, `GRANT USAGE ON FOREIGN DATA WRAPPER far$N TO $CLONE`, `ALTER SERVER elsewhere$N OWNER TO $CLONE`}},
	"a publication":                         {has: []string{`CREATE PUBLICATION news$N`, `ALTER PUBLICATION news$N OWNER TO $CLONE`}},
	"a user mapping":                        {has: []string{`CREATE FOREIGN DATA WRAPPER far$N`, `CREATE SERVER elsewhere$N FOREIGN DATA WRAPPER far$N`, `CREATE USER MAPPING FOR $CLONE SERVER elsewhere$N`}},
	"a setting of nobody's":                 {has: []string{`ALTER ROLE $APP SET "my.own" = 'x'`}},
	"a superuser's setting":                 {has: []string{`ALTER ROLE $CLONE SET log_min_duration_statement = 0`}},
	"its original as a member":              {has: []string{`REVOKE $APP FROM $CLONE`, `GRANT $CLONE TO $APP`}},
	"its original as a member's member":     {has: []string{`REVOKE $APP FROM $CLONE`, `GRANT $TEAM TO $APP`, `GRANT $CLONE TO $TEAM`}},
	"a role that is the original's member":  {has: []string{`GRANT $APP TO $TEAM`, `GRANT $TEAM TO $CLONE`}},
	"no connection for its original":        {has: []string{`ALTER ROLE $APP CONNECTION LIMIT 0`}},
}

// Whatever a clone has beyond its original, and whoever the administrator is: the trial says what the rotation says, at the clone's turn
// and, with CLONE_DRIFT=grant, at the original's; and what the messages print helps.
func TestATrialSeesWhatACloneHasBeyondItsOriginal(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		swept := rotationtest.WantedSweep() == rotationtest.FullSweep || rotationtest.WantedSweep() == rotationtest.DyingEverywhere
		if w.server.Major != 15 && !w.server.IsNewest() && !swept {
			t.Skip("covered by PostgreSQL 15 and by the newest")
		}
		w.exec(t, `CREATE SCHEMA closed`, `CREATE TYPE shop.coin AS (n int)`,
			`CREATE FUNCTION shop.odd(shop.coin) RETURNS int LANGUAGE sql AS 'SELECT 1'`, `REVOKE EXECUTE ON FUNCTION shop.odd(shop.coin) FROM PUBLIC`)
		for i, name := range slices.Sorted(maps.Keys(beyonds)) {
			b := beyonds[name]
			if w.server.Major < b.until {
				continue
			}
			for _, drift := range []bool{false, true} {
				for _, by := range []string{"a superuser", "an administrator", "a member of all"} {
					// A usual run has each kind once: on one of the two servers, with one of the settings.
					usual := by == "an administrator" && drift == (i/2%2 == 1) && w.server.IsNewest() == (i%2 == 1 || b.until > 15)
					if usual || swept {
						t.Run(fmt.Sprintf("%s, drift %v, by %s", name, drift, by), func(t *testing.T) { w.sees(t, b, drift, by) })
					}
				}
			}
		}
	})
}

func (w *world) sees(t *testing.T, b beyond, drift bool, by string) {
	user := w.user(t, "", "old")
	n := fmt.Sprint(w.users)
	team, lender, clone := w.box.Role("team"+n), w.box.Role("lender"+n), user+"_clone"
	w.exec(t, `CREATE ROLE `+team, `CREATE ROLE `+lender+` LOGIN`, `CREATE TABLE shop.loans (n int)`, `GRANT USAGE ON SCHEMA shop TO `+lender, `GRANT SELECT ON shop.loans TO `+lender+` WITH GRANT OPTION`)
	t.Cleanup(func() { w.drop(t, team, lender) })
	t.Cleanup(func() {
		w.exec(t, `ALTER DATABASE `+w.box.Database+` OWNER TO CURRENT_USER`, `DROP FOREIGN DATA WRAPPER IF EXISTS far`+n+` CASCADE`, `DROP TABLE shop.loans`)
	})
	r := w.rotor(t, database.AlternatingUsers, user, "old", w.superuser(t))
	r.Config.GrantDrift, r.Config.Adopt = drift, []string{user, clone}
	r.Must(t) // to the clone
	if !drift {
		r.Must(t)
	}
	of := strings.NewReplacer("$CLONE", clone, "$APP", user, "$TEAM", team, "$LENDER", lender, "$DB", w.box.Database, "$N", n)
	conn := w.box.Admin(t)
	for _, s := range b.has {
		if _, err := conn.Exec(t.Context(), of.Replace(s)); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	if by != "a superuser" {
		admin, doc := w.administrator(t, "")
		if w.server.Major >= 16 {
			w.exec(t, `GRANT `+user+`, `+clone+` TO `+admin+` WITH ADMIN OPTION`)
		}
		if by == "a member of all" {
			w.exec(t, `GRANT `+user+`, `+clone+`, `+team+`, `+lender+` TO `+admin+` WITH ADMIN OPTION`, `GRANT USAGE ON SCHEMA shop TO `+admin)
		}
		r.Store.Add("admin", doc)
	}
	r.agrees(t)
}

// agrees rotates by what the messages say: each time the trial and the rotation say the same.
func (r *rotor) agrees(t *testing.T) {
	t.Helper()
	var followed []rotation.Class
	for n := 0; ; n++ {
		before := r.w.dump(t)
		trial := r.Preflight(t)
		if after := r.w.dump(t); after != before {
			t.Fatalf("the trial has changed\n%s\nto\n%s", before, after)
		}
		rotated := r.Rotate(t)
		if class(trial) != class(rotated) || (trial == nil) != (rotated == nil) {
			t.Fatalf("the trial says: %v\nthe rotation: %v\n%s", trial, rotated, r.Log.String())
		}
		if trial == nil {
			break
		}
		if n > 4 {
			t.Fatalf("remedy after remedy: %v", trial)
		}
		if !r.followed(t, rotated) {
			return
		}
		followed = append(followed, class(rotated))
	}
	if err := r.can(t, `INSERT INTO shop.orders (item) VALUES ('x')`); err != nil {
		t.Fatal(err)
	}
	for _, c := range followed {
		r.w.helped(t, c)
	}
}

// followed runs what a message tells a superuser to run, and reports whether it tells anything.
func (r *rotor) followed(t *testing.T, err error) bool {
	t.Helper()
	var e *rotation.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v", err)
	}
	t.Logf("%v", err)
	_, statements, ok := strings.Cut(e.Remedy, "As a superuser: ")
	for _, end := range []string{" Or let ", " Then rotate", " or, once", " or use", "As a superuser"} {
		statements, _, _ = strings.Cut(statements, end)
	}
	if !ok {
		return false
	}
	r.w.exec(t, statements)
	r.Store.End("user")
	return true
}

// What a clone owns in another database is in nobody's reach from here.
func TestATrialSeesWhatACloneOwnsInAnotherDatabase(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		there := newWorld(t, w.server)
		user := w.user(t, "", "old")
		r := w.rotor(t, database.AlternatingUsers, user, "old", w.superuser(t))
		r.Must(t)
		r.Must(t)
		there.exec(t, `CREATE TABLE shop.its (n int)`, `ALTER TABLE shop.its OWNER TO `+user+`_clone`)
		t.Cleanup(func() { there.exec(t, `DROP TABLE shop.its`) })
		reassign := `REASSIGN OWNED BY "` + user + `_clone" TO "` + user + `"`
		for _, err := range []error{r.Preflight(t), r.Rotate(t)} {
			databasetest.Wants(t, err, rotation.MoreRights, `As a superuser: in the database "`+there.box.Database+`": `+reassign+`; Then rotate again.`)
		}
		there.exec(t, reassign)
		r.Must(t)
		w.helped(t, rotation.MoreRights)
	})
}

// Privileges that a role gives on what it will make are those of the role that sessions act as: a clone of ours acts as its original, and
// has none of its own in use; one that AWS's function made acts as itself.
func TestWhatTheCloneMakesIsSharedAsItsOriginalsIs(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		user, team := w.user(t, "", "old"), w.box.Role("team")
		clone := user + "_clone"
		w.exec(t, `CREATE ROLE `+team, `GRANT USAGE ON SCHEMA shop TO `+team, `CREATE ROLE `+clone+` LOGIN PASSWORD 'the clone''s'`, `GRANT `+user+` TO `+clone,
			`ALTER DEFAULT PRIVILEGES FOR ROLE `+clone+` IN SCHEMA shop GRANT SELECT ON TABLES TO `+team+` WITH GRANT OPTION`)
		t.Cleanup(func() { w.drop(t, team) })
		r := w.rotor(t, database.AlternatingUsers, clone, "the clone's", w.superuser(t))
		r.Config.Adopt = []string{user}
		for _, err := range []error{r.Preflight(t), r.Rotate(t)} {
			databasetest.Wants(t, err, rotation.FewerRights, "SELECT for "+team+" on future TABLES of its own IN SCHEMA shop with grant option")
		}
		r.Config.GrantDrift = true
		if err := r.Preflight(t); err != nil {
			t.Error(err)
		}
		r.Must(t)
		if _, err := r.application(t).Exec(t.Context(), `CREATE TABLE shop.shared (n int)`); err != nil {
			t.Fatal(err)
		}
		if may := w.value(t, `SELECT has_table_privilege($1, 'shop.shared', 'SELECT')::text`, team); may != "true" {
			t.Error("who was to read what the application makes, may not")
		}
		r.Must(t)
		r.Must(t)
	})
}
