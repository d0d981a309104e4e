package redshift_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/redshift/redshifttest"
)

// alternating is a rotor of a new user, by a superuser.
func (w *world) alternating(t *testing.T) (r *rotor, user string) {
	t.Helper()
	user = w.user(t, "")
	return w.rotor(t, database.AlternatingUsers, user, old, w.superuser(t)), user
}

// bare makes a user without rights.
func (w *world) bare(t *testing.T, name string) string {
	t.Helper()
	w.box.Exec(t, `CREATE USER `+quoted(name)+` PASSWORD '`+old+`'`)
	t.Cleanup(func() { w.box.Drop(t, name) })
	return name
}

// foreign makes a user without rights, and the same by other means that is in use as its clone.
func (w *world) foreign(t *testing.T, drift bool) (r *rotor, user, clone string) {
	t.Helper()
	w.users++
	user = w.bare(t, w.box.Name("plain"+strings.Repeat("x", w.users)))
	clone = w.bare(t, user+"_clone")
	r = w.rotor(t, database.AlternatingUsers, clone, old, w.superuser(t))
	r.Config.GrantDrift, r.Config.Adopt = drift, []string{user}
	return r, user, clone
}

func (w *world) wantHolding(t *testing.T, user string, lines ...string) {
	t.Helper()
	if w.server.Kind != redshifttest.Wire {
		return
	}
	has := w.server.Holdings(user)
	for _, line := range lines {
		absent := strings.HasPrefix(line, "not ")
		if slices.ContainsFunc(has, func(l string) bool { return strings.Contains(l, strings.TrimPrefix(line, "not ")) }) == absent {
			t.Errorf("%s: want %s; it has\n%s", user, line, strings.Join(has, "\n"))
		}
	}
}

func TestAColumnPrivilegeBecomesOneOnTheTableAndBack(t *testing.T) {
	redshifttest.Each(t, func(t *testing.T, s *redshifttest.Server) {
		w := newWorld(t, s)
		r, user := w.alternating(t)
		q, prices, orders := quoted(user), w.shop+".prices", w.shop+".orders"
		for _, changes := range [][]string{
			{`REVOKE UPDATE (item, price), SELECT (item, price) ON TABLE ` + prices + ` FROM ` + q, `GRANT UPDATE, SELECT ON TABLE ` + prices + ` TO ` + q,
				`REVOKE SELECT, INSERT, DELETE ON TABLE ` + orders + ` FROM ` + q, `GRANT SELECT (id, item), UPDATE (id, price) ON TABLE ` + orders + ` TO ` + q},
			{`REVOKE UPDATE ON TABLE ` + prices + ` FROM ` + q, `GRANT UPDATE (item) ON TABLE ` + prices + ` TO ` + q,
				`REVOKE SELECT (id, item) ON TABLE ` + orders + ` FROM ` + q, `GRANT SELECT ON TABLE ` + orders + ` TO ` + q + ` WITH GRANT OPTION`},
		} {
			r.Must(t) // the clone
			r.Must(t)
			w.box.Exec(t, changes...)
			r.Must(t)
			if s.Kind == redshifttest.Wire {
				w.wantTwins(t, user, user+"_clone")
			}
			r.Must(t)
		}
	})
}

func TestDriftOfColumns(t *testing.T) {
	redshifttest.Each(t, func(t *testing.T, s *redshifttest.Server) {
		w := newWorld(t, s)
		r, user, clone := w.foreign(t, true)
		prices := w.shop + ".prices"
		w.box.Exec(t, `GRANT USAGE, CREATE ON SCHEMA `+w.shop+` TO `+clone, `GRANT SELECT (item) ON TABLE `+prices+` TO `+user, `GRANT UPDATE ON TABLE `+prices+` TO `+user,
			`GRANT SELECT ON TABLE `+prices+` TO `+clone+` WITH GRANT OPTION`,
			`GRANT UPDATE (item) ON TABLE `+prices+` TO `+clone)
		r.Must(t)
		w.wantHolding(t, user, "SELECT() on  {table "+w.shop+" prices }, option true", "UPDATE() on  {table "+w.shop+" prices }, option false", "not SELECT(item)", "not UPDATE(item)")
		if err := r.can(t, `SELECT price FROM `+prices); err != nil && s.Kind != redshifttest.Wire {
			t.Error(err)
		}

		r, user, clone = w.foreign(t, false) // who has a privilege on the table has it on the columns
		w.box.Exec(t, `GRANT SELECT, UPDATE ON TABLE `+prices+` TO `+user, `GRANT SELECT (item), UPDATE (price) ON TABLE `+prices+` TO `+clone)
		if err := r.Preflight(t); err != nil {
			t.Error(err)
		}
		r.Must(t)
	})
}

func TestPrivilegesOnColumnsOfWhatTheOtherOwnsMakeRoom(t *testing.T) {
	redshifttest.Each(t, func(t *testing.T, s *redshifttest.Server) {
		w := newWorld(t, s)
		r, user, clone := w.foreign(t, false)
		w.box.Exec(t, `GRANT CREATE, USAGE ON SCHEMA `+w.shop+` TO `+user, `GRANT CREATE, USAGE ON SCHEMA `+w.shop+` TO `+clone,
			`CREATE TABLE `+w.shop+`.theirs (n int, m int)`, `ALTER TABLE `+w.shop+`.theirs OWNER TO `+clone, `GRANT SELECT (n, m) ON TABLE `+w.shop+`.theirs TO `+user,
			`CREATE TABLE `+w.shop+`.mine (n int, m int)`, `ALTER TABLE `+w.shop+`.mine OWNER TO `+user, `GRANT SELECT (n), UPDATE (m) ON TABLE `+w.shop+`.mine TO `+clone)
		for range 2 {
			if err := r.Preflight(t); err != nil {
				t.Errorf("the trial: %v", err)
			}
			r.Must(t)
		}
		w.wantHolding(t, user, "owns {table "+w.shop+" theirs }", "owns {table "+w.shop+" mine }")
		w.wantHolding(t, clone, "DELETE() on  {table "+w.shop+" mine }, option true", "not SELECT(n)", "not UPDATE(m)")
	})
}

func TestWhatACloneHasMoreIsTakenAway(t *testing.T) {
	redshifttest.EachWire(t, func(t *testing.T, s *redshifttest.Server) {
		w := newWorld(t, s)
		r, user := w.alternating(t)
		q := quoted(user)
		r.Must(t)
		r.Must(t)
		if s.Kind != redshifttest.Wire {
			return
		}
		w.box.Exec(t, `REVOKE EXECUTE ON MODEL `+w.shop+`.churn FROM `+q, `REVOKE CREATE MODEL FROM `+q, `REVOKE SHARE ON DATASHARE `+w.share+` FROM `+q, `GRANT ALTER ON DATASHARE `+w.share+` TO `+q,
			`REVOKE ASSUMEROLE ON 'arn:aws:iam::123456789012:role/loader' FROM `+q+` FOR COPY`, `GRANT ASSUMEROLE ON 'arn:aws:iam::123456789012:role/it''s' TO `+q+` FOR UNLOAD`,
			`DETACH RLS POLICY mine ON TABLE `+w.shop+`.orders FROM `+q, `ATTACH RLS POLICY "Theirs" ON TABLE `+w.shop+`.orders TO `+q,
			`DETACH MASKING POLICY blur ON `+w.shop+`.prices (item) FROM `+q, `ATTACH MASKING POLICY blur ON `+w.shop+`.prices (item) USING (item, price) TO `+q+` PRIORITY 20`,
			`REVOKE DROP FOR COPY JOBS IN DATABASE `+w.box.Database+` FROM `+q)
		if err := r.Preflight(t); err != nil {
			t.Errorf("the trial: %v", err)
		}
		r.Must(t)
		w.wantTwins(t, user, user+"_clone")
		w.wantHolding(t, user+"_clone", "not EXECUTE() on  {model", "not "+createModel, "ALTER() on  {datashare", "not SHARE()", "assumes arn:aws:iam::123456789012:role/it's for UNLOAD", "theirs", "20}")
	})
}

// createModel is how the wire-level server keeps GRANT CREATE MODEL.
const createModel = "USAGE() on  {language  mlfunc }"

func TestWhatOnlyTheCloneHasBesideGrants(t *testing.T) {
	w := own(t, redshifttest.Config{})
	for _, drift := range []bool{false, true} {
		r, user, clone := w.foreign(t, drift)
		w.box.Exec(t, `GRANT EXECUTE ON MODEL `+w.shop+`.churn TO `+clone, `GRANT CREATE MODEL TO `+clone, `GRANT ALTER ON DATASHARE `+w.share+` TO `+clone,
			`GRANT ASSUMEROLE ON DEFAULT TO `+clone+` FOR COPY`, `ATTACH RLS POLICY mine ON TABLE `+w.shop+`.orders TO `+clone)
		if drift {
			if err := r.Preflight(t); err != nil {
				t.Errorf("the trial: %v", err)
			}
			r.Must(t)
			w.wantTwins(t, user, clone)
			continue
		}
		for _, err := range []error{r.Preflight(t), r.Rotate(t)} {
			databasetest.Wants(t, err, rotation.FewerRights, "EXECUTE ON MODEL", "CREATE MODEL", "ALTER ON DATASHARE", "ASSUMEROLE ON DEFAULT FOR COPY", `by the policy "mine"`,
				`ATTACH RLS POLICY "mine" ON TABLE "`+w.shop+`"."orders" TO "`+user+`";`)
		}
	}
}

// A mask that the clone lacks would show it more.
func TestAMaskIsNotLeftOut(t *testing.T) {
	w := own(t, redshifttest.Config{Deny: "ATTACH MASKING POLICY \"blur\""})
	user := w.bare(t, w.box.Name("masked"))
	w.box.Exec(t, `ATTACH MASKING POLICY blur ON `+w.shop+`.prices (item) TO `+user)
	r := w.rotor(t, database.AlternatingUsers, user, old, w.superuser(t))
	databasetest.Wants(t, r.Rotate(t), rotation.MissingPrivilege, "permission denied")

}

func TestPoliciesThatTheAdministratorDoesNotSeeAreSaid(t *testing.T) {
	w := own(t, redshifttest.Config{NoRowPolicies: true})
	user := w.bare(t, w.box.Name("plain"))
	w.box.Exec(t, `ATTACH RLS POLICY mine ON TABLE `+w.shop+`.orders TO `+user)
	r := w.rotor(t, database.AlternatingUsers, user, old, w.superuser(t))
	if err := r.Preflight(t); err != nil {
		t.Error(err)
	}
	r.Must(t)
	if !strings.Contains(r.Log.String(), "lacks the role sys:secadmin") {
		t.Errorf("the log does not say so:\n%s", r.Log.String())
	}
}

func TestWhatNoStatementIsKnownForIsComparedByTheTrialToo(t *testing.T) {
	w := own(t, redshifttest.Config{})
	for _, mask := range []bool{true, false} {
		class, says := rotation.FewerRights, `POLISH ON TABLE "`+w.shop+`"."prices" with grant option`
		if mask {
			class, says = rotation.MoreRights, `without the mask "deep"`
		}
		user := w.bare(t, w.box.Name(fmt.Sprint("strange", mask)))
		w.server.Strange(user, w.shop, "prices", mask, !mask)
		r := w.rotor(t, database.AlternatingUsers, user, old, w.superuser(t))
		for _, err := range []error{r.Preflight(t), r.Rotate(t)} {
			databasetest.Wants(t, err, class, says)
		}
		w.server.Strange(user+"_clone", w.shop, "prices", mask, !mask) // as people do
		r.Config.Adopt = []string{user + "_clone"}
		if err := r.Preflight(t); err != nil {
			t.Error(err)
		}
		r.Must(t)

		r, user, clone := w.foreign(t, true)
		w.server.Strange(clone, w.shop, "prices", mask, !mask)
		for _, err := range []error{r.Preflight(t), r.Rotate(t)} {
			if mask {
				continue // the original sees more
			}
			databasetest.Wants(t, err, rotation.FewerRights, says)
		}
		w.server.Strange(user, w.shop, "prices", mask, !mask)
		r.Must(t)
	}
}

func TestModelsStayWithWhoMadeThem(t *testing.T) {
	w := own(t, redshifttest.Config{})
	r, user := w.alternating(t)
	r.Must(t)
	clone := user + "_clone"
	conn := w.box.Connect(t, clone, r.Current().Text("password"))
	if _, err := conn.Exec(t.Context(), `CREATE MODEL `+w.shop+`.mine FROM `+w.shop+`.orders TARGET price FUNCTION `+w.shop+`.mine_of IAM_ROLE default SETTINGS (S3_BUCKET 'models')`); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := r.Preflight(t); err != nil {
			t.Errorf("the trial: %v", err)
		}
		r.Must(t)
	}
	w.wantHolding(t, clone, "owns {model "+w.shop+" mine }")
	w.wantHolding(t, user, "EXECUTE() on  {model "+w.shop+" mine }, option true")
}

// On the stand-in, a view and a table make what is one on Redshift.
func TestTheStorageOfAMaterializedViewIsNobodysTable(t *testing.T) {
	redshifttest.Each(t, func(t *testing.T, s *redshifttest.Server) {
		w := newWorld(t, s)
		r, user := w.alternating(t)
		r.Must(t)
		clone := user + "_clone"
		conn := w.box.Connect(t, clone, r.Current().Text("password"))
		statements := []string{`CREATE MATERIALIZED VIEW ` + w.shop + `.sales AS SELECT 1 AS n`}
		if s.Kind == redshifttest.StandIn {
			statements = []string{`CREATE VIEW ` + w.shop + `.sales AS SELECT 1 AS n`, `CREATE TABLE ` + w.shop + `.mv_tbl__sales__0 (n int)`}
		}
		for _, statement := range append(statements, `CREATE TABLE `+w.shop+`.mv_tbl__other__0 (n int)`) { // a table like any other
			if _, err := conn.Exec(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		mark := s.Mark()
		for range 2 {
			r.Must(t)
		}
		if s.HasLog() && strings.Contains(s.LogSince(mark), "mv_tbl__sales__0") {
			t.Error("a statement names the storage")
		}
		w.wantHolding(t, user, "owns {table "+w.shop+" sales }", "owns {table "+w.shop+" mv_tbl__sales__0 }", "owns {table "+w.shop+" mv_tbl__other__0 }")
		if err := r.Preflight(t); err != nil || s.Kind == redshifttest.Wire && (!strings.Contains(r.Log.String(), "AUTO REFRESH YES") || !strings.Contains(r.Log.String(), "own1_mv")) {
			t.Errorf("the trial: %v\n%s", err, r.Log.String())
		}
	})
}

func TestAnAdministratorWithARole(t *testing.T) {
	w := own(t, redshifttest.Config{})
	user, admin := w.user(t, ""), w.bare(t, w.box.Name("helper"))
	r := w.rotor(t, database.SingleUserByAdministrator, user, old, w.secret(t, admin, old))
	w.box.Exec(t, `GRANT ROLE `+w.role+` TO `+admin)
	databasetest.Wants(t, r.Rotate(t), rotation.MissingPrivilege, "CREATEUSER")
	databasetest.Wants(t, r.Preflight(t), rotation.MissingPrivilege, "GRANT ALTER USER TO ROLE rotor; GRANT ROLE rotor TO")
	w.box.Exec(t, `CREATE ROLE inner_`+w.role, `GRANT ALTER USER TO ROLE inner_`+w.role, `GRANT ROLE inner_`+w.role+` TO ROLE `+w.role)
	if err := r.Preflight(t); err != nil {
		t.Error(err)
	}
	r.Must(t)
}
