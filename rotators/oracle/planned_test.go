package oracle_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/oracle/oracletest"
)

// said is a statement in the server's log that is no query, and its binds.
var said = regexp.MustCompile(`(?m)^\S+: (.*) \[(.*)\]$`)

// changesIn are the statements of a server's log that are no queries, as a plan has them.
func changesIn(log string, passwords ...string) (all []string) {
	for _, match := range said.FindAllStringSubmatch(strings.NewReplacer(passwords...).Replace(log), -1) {
		statement := match[1]
		for i, value := range strings.Fields(match[2]) {
			statement = strings.Replace(statement, fmt.Sprint(":", i+1), strings.ReplaceAll(value, `"`, `'`), 1)
		}
		all = append(all, statement)
	}
	return all
}

// planned asks for a plan and rotates as it says. The server has changed nothing for the plan, and was told nothing for the rotation that is not in it.
func (r *rotor) planned(t *testing.T) rotation.Plan {
	t.Helper()
	before, mark := r.w.StandIn.State(), r.w.StandIn.Mark()
	plan, err := r.Plan(t)
	if err != nil {
		t.Fatal(err)
	}
	if told := changesIn(r.w.StandIn.LogSince(mark)); len(told) > 0 || r.w.StandIn.State() != before {
		t.Errorf("for a plan the server was told %q, and its state is the same: %v", told, r.w.StandIn.State() == before)
	}
	mark = r.w.StandIn.Mark()
	was := r.Current().Text("password")
	if err := r.Planned(t); err != nil {
		t.Fatal(err)
	}
	told := changesIn(r.w.StandIn.LogSince(mark), r.Current().Text("password"), "<new password>", was, "<old password>")
	if !slices.Equal(told, plan.Statements) {
		t.Errorf("the server was told\n%s\nand the plan\n%s", strings.Join(told, "\n"), strings.Join(plan.Statements, "\n"))
	}
	return plan
}

func TestAPlanChangesNothingAndLeavesNothingOut(t *testing.T) {
	for name, c := range map[string]oracletest.Config{"11.2": {Version: "11.2.0.4.0"}, "19": {}, "23": {Version: "23.0.0.0.0"}, "RDS": {RDS: true}} {
		t.Run(name, func(t *testing.T) {
			w := standIn(t, c)
			for _, s := range []database.Strategy{database.SingleUser, database.SingleUserByAdministrator} {
				r := w.rotor(t, s, w.user(t, ""))
				r.planned(t)
				r.planned(t)
			}
			user := w.user(t, "app")
			w.exec(t, `GRANT `+w.role+` TO ADMIN WITH ADMIN OPTION`, `GRANT SELECT ON SYS.V_$SESSION TO APP`, `GRANT EXECUTE ON SYS.DBMS_CRYPTO TO APP WITH GRANT OPTION`,
				`CREATE ROLE EXTRA`, `GRANT EXTRA TO ADMIN WITH ADMIN OPTION`, `GRANT CREATE VIEW TO ADMIN WITH ADMIN OPTION`)
			r := w.rotor(t, database.AlternatingUsers, user)
			r.Config.GrantDrift = true
			if p := r.planned(t); !slices.Contains(p.Gains, "INSERT ON "+w.shop+`."ORDERS"`) || len(p.Loses) > 0 {
				t.Errorf("a clone that is not there yet gains %q and loses %q", p.Gains, p.Loses)
			}
			w.exec(t, `GRANT UPDATE ON `+w.shop+`.ORDERS TO APP_CLONE`, `GRANT EXTRA TO APP_CLONE`, `ALTER USER APP_CLONE QUOTA 5 ON DATA`)
			wantRights(t, r.planned(t), []string{`UPDATE ON ` + w.shop + `."ORDERS"`, `quota on tablespace "DATA"`, `role "EXTRA"`}, nil)
			wantRights(t, r.planned(t), nil, nil)
			wantRights(t, r.planned(t), nil, nil)
			w.exec(t, `GRANT CREATE VIEW TO APP_CLONE`, `REVOKE INSERT ON `+w.shop+`.ORDERS FROM APP_CLONE`, `REVOKE EXECUTE ON SYS.DBMS_CRYPTO FROM APP`, `GRANT EXECUTE ON SYS.DBMS_CRYPTO TO APP`)
			wantRights(t, r.planned(t), []string{`INSERT ON ` + w.shop + `."ORDERS"`}, []string{`CREATE VIEW`, `EXECUTE ON "SYS"."DBMS_CRYPTO" with grant option`})
			r.planned(t)
		})
	}
}

func wantRights(t *testing.T, p rotation.Plan, gains, loses []string) {
	t.Helper()
	if !slices.Equal(p.Gains, gains) || !slices.Equal(p.Loses, loses) {
		t.Errorf("%q gains %q and loses %q; want %q and %q", p.User, p.Gains, p.Loses, gains, loses)
	}
}

// Whether an old password has to be ended is known beforehand: by the profile that the user will have.
func TestAPlanKnowsTheRolloverTime(t *testing.T) {
	const ends = ` EXPIRE PASSWORD ROLLOVER PERIOD`
	w := standIn(t, oracletest.Config{})
	w.exec(t, `CREATE PROFILE GENTLE LIMIT PASSWORD_ROLLOVER_TIME 1`, `CREATE PROFILE SILENT LIMIT FAILED_LOGIN_ATTEMPTS 9`)
	for by, s := range strategies {
		w.drop(t, "APP", "APP_CLONE")
		user := w.user(t, "app")
		r := w.rotor(t, s, user)
		r.Config.NoOverlap = true
		for n, profile := range []string{"SILENT", "GENTLE", "GENTLE", "SILENT", "SILENT", "DEFAULT"} {
			w.exec(t, `ALTER USER APP PROFILE `+profile)
			p := r.planned(t)
			if last := p.Statements[len(p.Statements)-1]; strings.HasSuffix(last, ends) != (profile == "GENTLE") {
				t.Errorf("%s, rotation %d, profile %s: the last statement is %s", by, n, profile, last)
			}
		}
	}
}

func TestThereIsAPlanAfterARotationThatWasCutShort(t *testing.T) {
	for _, at := range []string{`CREATE USER "APP_CLONE"`, `GRANT INSERT, SELECT`, `GRANT DELETE ON`, `TO "APP_CLONE" WITH GRANT OPTION`, `ACCOUNT UNLOCK`} {
		w := standIn(t, oracletest.Config{})
		r := w.rotor(t, database.AlternatingUsers, w.user(t, "app"))
		w.StandIn.Deny(at, 1031)
		if err := r.Rotate(t); err == nil {
			t.Errorf("%s: nothing failed", at)
		}
		w.StandIn.Deny(at, 0)
		r.planned(t)
		w.wantTwins(t, "APP", "APP_CLONE")
	}
}
