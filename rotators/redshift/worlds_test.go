package redshift_test

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/rotators/redshift/redshifttest"
)

// A trial that says yes is a promise, and one that says no is right: in worlds made at random.
func TestARotationDoesWhatItsTrialSays(t *testing.T) {
	redshifttest.Each(t, func(t *testing.T, s *redshifttest.Server) {
		if s.Kind == redshifttest.Cluster {
			t.Skip("worlds change what others see")
		}
		w := newWorld(t, s)
		w.box.Exec(t, `CREATE TABLE `+w.shop+`.wide (a int, b int)`, `CREATE TABLE `+w.shop+`.narrow (a int, b int)`)
		databasetest.Worlds(t, w.oneWorld)
	})
}

// oneWorld rotates four times, each after a trial, with changes by somebody else in between. It returns what the first
// trial said.
func (w *world) oneWorld(t *testing.T, strategy database.Strategy, dice *rand.Rand) (first error) {
	var story []string
	run := func(statements []string) {
		for _, s := range statements { // what this server, or this world, does not take is not part of it
			if _, err := w.box.Connection(t).Exec(context.Background(), s); err == nil {
				story = append(story, s)
			}
		}
	}
	user, admin := w.user(t, ""), w.superuser(t)
	t.Cleanup(func() {
		for _, of := range []string{user, user + "_clone"} {
			run([]string{`DROP TABLE ` + w.shop + `.of_` + of, `DROP VIEW ` + w.shop + `.of_` + of + `_mv`, `DROP SCHEMA of_` + of, `DROP SCHEMA lake_of_` + of})
		}
	})
	if helper := w.bare(t, w.box.Name("helper")+user); dice.IntN(4) == 0 {
		admin = w.secret(t, helper, old)
		run(databasetest.Some(dice, 2, []string{`ALTER USER ` + helper + ` CREATEUSER`, `GRANT ROLE ` + w.role + ` TO ` + helper, `GRANT ALTER USER TO ROLE ` + w.role}))
	}
	run(databasetest.Some(dice, 4, w.userStatements(user)))
	r := w.rotor(t, strategy, user, old, admin)
	r.Config.GrantDrift = dice.IntN(3) == 0
	for n := range 4 {
		before := w.holdings(user)
		trial, rotate := r.Preflight(t), r.Rotate
		if trial == nil {
			rotate = r.Planned
			if _, err := r.Plan(t); err != nil {
				t.Fatalf("%v\nafter\n%s", err, strings.Join(story, ";\n"))
			}
		}
		if after := w.holdings(user); after != before {
			t.Fatalf("the trial of rotation %d has changed\n%s\nto\n%s\nafter\n%s", n, before, after, strings.Join(story, ";\n"))
		}
		if n == 0 {
			first = trial
		}
		err := rotate(t)
		if (trial == nil) != (err == nil) {
			t.Fatalf("the trial of rotation %d says: %v\nthe rotation: %v\nafter\n%s", n, trial, err, strings.Join(story, ";\n"))
		}
		if err != nil {
			return first
		}
		run(databasetest.Some(dice, 8, w.userStatements(user)))
		if strategy == database.AlternatingUsers {
			run(databasetest.Some(dice, 8, w.userStatements(user+"_clone")))
		}
	}
	return first
}

// holdings are what two users have, as far as this server tells.
func (w *world) holdings(user string) string {
	if w.server.Kind != redshifttest.Wire {
		return ""
	}
	return strings.Join(append(w.server.Holdings(user), w.server.Holdings(user+"_clone")...), "\n")
}

// userStatements are what may be the case with a user.
func (w *world) userStatements(user string) []string {
	q, wide, narrow, mine := quoted(user), w.shop+".wide", w.shop+".narrow", w.shop+".of_"+user
	return []string{
		`ALTER USER ` + q + ` CREATEDB`, `ALTER USER ` + q + ` NOCREATEDB`, `ALTER USER ` + q + ` CONNECTION LIMIT 90`, `ALTER USER ` + q + ` SYSLOG ACCESS RESTRICTED`, `ALTER USER ` + q + ` RESET SESSION TIMEOUT`,
		`ALTER USER ` + q + ` SET datestyle TO 'SQL, DMY'`, `ALTER USER ` + q + ` RESET search_path`, `ALTER USER ` + q + ` CREATEUSER`, `ALTER USER ` + q + ` NOCREATEUSER`,
		`ALTER GROUP ` + w.group + ` DROP USER ` + q, `REVOKE ROLE ` + w.role + ` FROM ` + q,
		`GRANT SELECT ON TABLE ` + wide + ` TO ` + q, `REVOKE SELECT ON TABLE ` + wide + ` FROM ` + q, `GRANT SELECT (a, b), UPDATE (a) ON TABLE ` + wide + ` TO ` + q, `REVOKE SELECT (b) ON TABLE ` + wide + ` FROM ` + q,
		`GRANT ALL ON TABLE ` + narrow + ` TO ` + q + ` WITH GRANT OPTION`, `REVOKE ALL ON TABLE ` + narrow + ` FROM ` + q, `GRANT UPDATE (b) ON TABLE ` + narrow + ` TO ` + q, `REVOKE GRANT OPTION FOR SELECT ON TABLE ` + narrow + ` FROM ` + q,
		`CREATE TABLE ` + mine + ` (a int, b int)`, `ALTER TABLE ` + mine + ` OWNER TO ` + q, `GRANT SELECT (a) ON TABLE ` + mine + ` TO ` + q,
		`CREATE MATERIALIZED VIEW ` + mine + `_mv AS SELECT 1 AS n`, `ALTER TABLE ` + mine + `_mv OWNER TO ` + q, `CREATE SCHEMA of_` + user, `ALTER SCHEMA of_` + user + ` OWNER TO ` + q,
		`CREATE EXTERNAL SCHEMA lake_of_` + user + ` FROM DATA CATALOG`, `ALTER SCHEMA lake_of_` + user + ` OWNER TO ` + q,
		`GRANT EXECUTE ON MODEL ` + w.shop + `.churn TO ` + q, `REVOKE EXECUTE ON MODEL ` + w.shop + `.churn FROM ` + q, `REVOKE CREATE MODEL FROM ` + q,
		`GRANT ALTER ON DATASHARE ` + w.share + ` TO ` + q + ` WITH GRANT OPTION`, `REVOKE SHARE ON DATASHARE ` + w.share + ` FROM ` + q,
		`GRANT SELECT, DROP FOR TABLES IN DATABASE ` + w.box.Database + ` TO ` + q + ` WITH GRANT OPTION`, `REVOKE SELECT FOR TABLES IN SCHEMA ` + w.shop + ` FROM ` + q,
		`GRANT ASSUMEROLE ON 'arn:aws:iam::123456789012:role/other' TO ` + q + ` FOR UNLOAD`, `REVOKE ASSUMEROLE ON DEFAULT FROM ` + q + ` FOR EXTERNAL FUNCTION`,
		`ATTACH RLS POLICY theirs ON TABLE ` + wide + ` TO ` + q, `DETACH RLS POLICY mine ON TABLE ` + w.shop + `.orders FROM ` + q,
		`ATTACH MASKING POLICY blur ON ` + wide + ` (a) TO ` + q + ` PRIORITY 5`, `DETACH MASKING POLICY blur ON ` + w.shop + `.prices (item) FROM ` + q,
		`ALTER DEFAULT PRIVILEGES FOR USER ` + w.server.AdminUser + ` IN SCHEMA ` + w.shop + ` REVOKE SELECT ON TABLES FROM ` + q, `ALTER DEFAULT PRIVILEGES FOR USER ` + q + ` GRANT SELECT ON TABLES TO GROUP ` + w.group,
	}
}
