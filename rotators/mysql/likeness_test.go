package mysql

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/rotators/mysql/mysqltest"
)

// A server shows the clone of every specimen as it shows the specimen, whether the clone is new or was something else.
func TestACloneIsShownAsItsOriginal(t *testing.T) {
	mysqltest.ChangesAll(t) // FLUSH PRIVILEGES: while the server reads them anew, it denies others what they may do
	mysqltest.Each(t, func(t *testing.T, s *mysqltest.Server) {
		x := newExhibition(t, s)
		for _, spec := range specimens {
			if spec.on != nil && !spec.on(x.facts.dialect) || spec.forGood {
				continue
			}
			for name, clone := range map[string][]string{"new": nil, "existing": x.otherwise()} {
				t.Run(spec.name+", "+name, func(t *testing.T) { x.cloned(t, spec, clone) })
			}
		}
	})
}

// otherwise makes the clone's account with as much as there is that no specimen has.
func (x *exhibition) otherwise() []string {
	create := "CREATE USER %c IDENTIFIED BY 'Other-1' REQUIRE ISSUER 'other''s' WITH MAX_QUERIES_PER_HOUR 7 MAX_USER_CONNECTIONS 8 PASSWORD EXPIRE INTERVAL 9 DAY"
	if x.facts.since(8, 0, 21) {
		create += ` PASSWORD HISTORY 4 PASSWORD REUSE INTERVAL 5 DAY PASSWORD REQUIRE CURRENT FAILED_LOGIN_ATTEMPTS 6 PASSWORD_LOCK_TIME UNBOUNDED ATTRIBUTE '{"team": {"b": 1}, "n": {"m": 2, "k": null, "o": {"p": 3}}, "other''s": [1]}'`
	}
	return []string{create, "GRANT SELECT, INSERT ON *.* TO %c WITH GRANT OPTION", "GRANT DELETE ON %d.* TO %c", "GRANT UPDATE (n) ON %d.t TO %c", "GRANT EXECUTE ON PROCEDURE %d.p TO %c"}
}

func (x *exhibition) cloned(t *testing.T, spec specimen, clone []string) {
	x.clear(t)
	defer x.clear(t)
	if !x.make(t, append(spec.make, clone...)) {
		t.Skip("the server lacks a plug-in")
	}
	original, copied := x.prefix+"_a", x.prefix+"_c"
	admin := x.session(t, x.target.AdminUser, x.target.AdminPassword)
	preflight := admin.PreflightClone(t.Context(), databasetest.Pair(original, copied))
	err := databasetest.Clone(t.Context(), admin, original, copied, "Specimen-2")
	if (preflight == nil) != (err == nil) {
		t.Errorf("the trial said %v, and the clone's making %v", preflight, err)
	}
	if spec.noClone != "" {
		if class(err) != spec.noClone {
			t.Fatalf("got %v, want %s", err, spec.noClone)
		}
		if err := admin.Close(); err != nil { // which frees its lock
			t.Fatal(err)
		}
		x.remedied(t, asFault(err).Remedy, original, copied)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if spec.unlike {
		return
	}
	// MySQL shows a PASSWORD EXPIRE INTERVAL that was taken away until then.
	if err := x.exec(t.Context(), "FLUSH PRIVILEGES"); err != nil {
		t.Fatal(err)
	}
	for _, show := range []string{"SHOW CREATE USER ", "SHOW GRANTS FOR "} {
		want, got := x.lines(t, show, original), x.lines(t, show, copied)
		if !slices.Equal(got, want) {
			t.Errorf("the clone is\n%s\nthe original\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// remedied follows a remedy that is a statement, and clones again.
func (x *exhibition) remedied(t *testing.T, remedy, original, copied string) {
	t.Helper()
	for _, statement := range remedyStatement.FindAllString(remedy, -1) {
		if err := x.exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
		admin := x.session(t, x.target.AdminUser, x.target.AdminPassword)
		if err := errors.Join(admin.PreflightClone(t.Context(), databasetest.Pair(original, copied)), databasetest.Clone(t.Context(), admin, original, copied, "Specimen-3"), admin.Close()); err != nil {
			t.Errorf("the remedy %q does not help: %v", statement, err)
		}
	}
}

var remedyStatement = regexp.MustCompile("(ALTER USER|REVOKE) [^;]+")

// mutual is the mark that both have.
var mutual = regexp.MustCompile(`"rotor": \{"pair": "\w+"\}(, )?`)

// lines are what the server shows of a user, without what two users differ in.
func (x *exhibition) lines(t *testing.T, show, user string) []string {
	t.Helper()
	lines, err := x.column(context.WithoutCancel(t.Context()), show+account{user, "%"}.String())
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range lines {
		line = strings.ReplaceAll(x.scrub(line), strings.Replace(user, x.prefix, "spec", 1), "user")
		line = strings.TrimSuffix(mutual.ReplaceAllString(line, ""), " ATTRIBUTE '{}'")                     // which is none
		lines[i] = strings.Replace(line, " PASSWORD EXPIRE ACCOUNT", " PASSWORD EXPIRE DEFAULT ACCOUNT", 1) // a new password has not expired
	}
	slices.Sort(lines)
	return lines
}

// make runs statements with the test's names. It reports false if the server lacks a plug-in.
func (x *exhibition) make(t *testing.T, statements []string) bool {
	t.Helper()
	for _, s := range append(x.scene(), statements...) {
		err := x.exec(t.Context(), x.own(s))
		if isCode(err, 1524) {
			return false
		}
		if err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	return true
}
