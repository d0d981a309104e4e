package sqlserver

import (
	"strings"
	"testing"
)

func profileOf(name string, roles string, rows ...string) *profile {
	p := newProfile(false, "admin")
	p.name = name
	for _, r := range strings.Fields(roles) {
		p.roles[r] = true
	}
	for _, row := range rows { // such as "G SELECT on x by dbo"
		state, rest, _ := strings.Cut(row, " ")
		rest, grantor, _ := strings.Cut(rest, " by ")
		permission, on, _ := strings.Cut(rest, " on ")
		if state == "O" {
			p.owned[" ON "+on] = true
			continue
		}
		if on != "" {
			on = " ON " + on
		}
		p.add(grant{permission, on}, state, grantor)
	}
	p.settle()
	return p
}

func TestOnlyWhatDiffersIsSaid(t *testing.T) {
	a := profileOf("a", "r", "G SELECT on X", "W INSERT on X", "D DELETE on X")
	for _, c := range []struct {
		has, of *profile
		want    string
	}{
		{profileOf("c", "r", "G SELECT on X", "W INSERT on X", "D DELETE on X"), a, ``},
		{profileOf("c", ""), a, `ALTER ROLE [r] ADD MEMBER [c]; GRANT INSERT ON X TO [c] WITH GRANT OPTION; GRANT SELECT ON X TO [c]; DENY DELETE ON X TO [c]`},
		{profileOf("c", "s", "G UPDATE", "W SELECT on X", "D INSERT on X", "W DELETE on X"), a,
			`REVOKE INSERT ON X FROM [c]; ALTER ROLE [r] ADD MEMBER [c]; GRANT INSERT ON X TO [c] WITH GRANT OPTION; DENY DELETE ON X TO [c] CASCADE; ` +
				`REVOKE UPDATE FROM [c]; REVOKE GRANT OPTION FOR SELECT ON X FROM [c] CASCADE; ALTER ROLE [s] DROP MEMBER [c]`},
		{profileOf("c", "db_denydatareader"), profileOf("a", "db_denydatawriter"), `ALTER ROLE [db_denydatareader] DROP MEMBER [c]; ALTER ROLE [db_denydatawriter] ADD MEMBER [c]`},
		{profileOf("c", "", "G SELECT on X by joe", "G SELECT on X by dbo", "G SELECT on X by admin"), profileOf("a", ""), `REVOKE SELECT ON X FROM [c]; REVOKE SELECT ON X FROM [c] AS [joe]`},
		{profileOf("c", ""), profileOf("a", "", "O - on S"), `GRANT CONTROL ON S TO [c] WITH GRANT OPTION`},
		{profileOf("c", "", "O - on S"), profileOf("a", "", "W CONTROL on S", "G SELECT on S"), ``},
		{profileOf("c", "", "G IMPERSONATE on USER::[a]"), profileOf("a", "", "G IMPERSONATE on USER::[c]"), ``},
		{profileOf("c", ""), profileOf("a", "", "G SELECT on X", "D SELECT on X"), `DENY SELECT ON X TO [c]`},
		{profileOf("c", "", "G SELECT on X"), profileOf("a", "", "G SELECT on X", "R SELECT ([p]) on X"), `REVOKE SELECT ([p]) ON X FROM [c]`},
		{profileOf("c", "", "G SELECT on X", "R SELECT ([p]) on X"), profileOf("a", "", "G SELECT on X"), `GRANT SELECT ([p]) ON X TO [c]`},
		{profileOf("c", "", "W SELECT on X", "R SELECT ([p]) on X"), profileOf("a", "", "W SELECT on X"), `GRANT SELECT ([p]) ON X TO [c] WITH GRANT OPTION`},
		{profileOf("c", "", "G SELECT on X", "R SELECT ([p]) on X"), profileOf("a", ""), `REVOKE SELECT ON X FROM [c]`},
		{profileOf("c", "", "W SELECT on X"), profileOf("a", "", "W SELECT on X", "R SELECT ([p]) on X"), `REVOKE SELECT ([p]) ON X FROM [c] CASCADE`},
		{profileOf("c", ""), profileOf("a", "", "W SELECT on X", "D SELECT ([p]) on X"), `GRANT SELECT ON X TO [c] WITH GRANT OPTION; DENY SELECT ([p]) ON X TO [c] CASCADE`},
		{profileOf("c", "", "W SELECT on X"), profileOf("a", "", "W SELECT on X", "G SELECT ([p]) on X"), `REVOKE GRANT OPTION FOR SELECT ([p]) ON X FROM [c] CASCADE`},
		{profileOf("c", "", "W SELECT on X", "G SELECT ([p]) on X"), profileOf("a", "", "W SELECT on X"), `GRANT SELECT ([p]) ON X TO [c] WITH GRANT OPTION`},
		{profileOf("c", "", "G SELECT on X"), profileOf("a", "", "G SELECT on X by dbo", "G SELECT ([p]) on X by joe"), ``},
		{profileOf("c", "", "W SELECT on X", "D SELECT ([p]) on X"), profileOf("a", "", "W SELECT on X"), `GRANT SELECT ([p]) ON X TO [c] WITH GRANT OPTION`},
		{profileOf("c", "", "D SELECT on X", "G SELECT ([p]) on X"), profileOf("a", "", "D SELECT on X"), `DENY SELECT ([p]) ON X TO [c]`},
		{profileOf("c", "", "D SELECT on X", "R SELECT ([p]) on X"), profileOf("a", "", "D SELECT on X"), `DENY SELECT ([p]) ON X TO [c]`},
		{profileOf("c", "", "G SELECT on X by dbo", "W SELECT on X by joe"), profileOf("a", "", "G SELECT on X"), `REVOKE GRANT OPTION FOR SELECT ON X FROM [c] CASCADE AS [joe]`},
	} {
		if got := strings.Join(texts(c.has.follow(c.of)), "; "); got != c.want {
			t.Errorf("got\n%s, want\n%s", got, c.want)
		}
	}
}

func TestLinesCompareAsRightsDo(t *testing.T) {
	builtin := map[string][]string{"SCHEMA": {"CONTROL", "SELECT"}}
	lines := func(p *profile) map[string]bool {
		all := map[string]bool{}
		p.lines(all, "here", builtin, nil, &profile{name: "twin"})
		return all
	}
	for name, c := range map[string]struct {
		current, pending *profile
		fewer            bool
	}{
		"the same":                   {profileOf("a", "r", "G SELECT on X"), profileOf("b", "r", "G SELECT on X"), false},
		"more":                       {profileOf("a", "", "G SELECT on X"), profileOf("b", "r", "W SELECT on X"), false},
		"less":                       {profileOf("a", "", "G SELECT on X", "G UPDATE on X"), profileOf("b", "", "G SELECT on X"), true},
		"no grant option":            {profileOf("a", "", "W SELECT on X"), profileOf("b", "", "G SELECT on X"), true},
		"a role less":                {profileOf("a", "r"), profileOf("b", ""), true},
		"a denial more":              {profileOf("a", ""), profileOf("b", "", "D SELECT on X"), true},
		"another denial":             {profileOf("a", "", "D SELECT on Y"), profileOf("b", "", "D SELECT on X"), true},
		"the same denial":            {profileOf("a", "", "D SELECT on Y"), profileOf("b", "", "D SELECT on Y"), false},
		"an exception":               {profileOf("a", "", "G SELECT on X"), profileOf("b", "", "G SELECT on X", "R SELECT ([p]) on X"), true},
		"a role that denies":         {profileOf("a", ""), profileOf("b", "db_denydatareader"), true},
		"owner and CONTROL":          {profileOf("a", "", "O - on SCHEMA::[s]"), profileOf("b", "", "W CONTROL on SCHEMA::[s]"), false},
		"CONTROL covers":             {profileOf("a", "", "G SELECT on SCHEMA::[s]"), profileOf("b", "", "G CONTROL on SCHEMA::[s]"), false},
		"CONTROL is not covered":     {profileOf("a", "", "G CONTROL on SCHEMA::[s]"), profileOf("b", "", "G SELECT on SCHEMA::[s]"), true},
		"an option less on a column": {profileOf("a", "", "W SELECT on X"), profileOf("b", "", "W SELECT on X", "G SELECT ([p]) on X"), true},
		"a right on the other one":   {profileOf("a", "", "G IMPERSONATE on USER::[twin]"), profileOf("b", ""), false},
	} {
		needs, has := lines(c.current), lines(c.pending)
		fewer := false
		for line := range needs {
			fewer = fewer || !has[line]
		}
		if fewer != c.fewer {
			t.Errorf("%s: %v; needs %v, has %v", name, fewer, needs, has)
		}
	}
}

func TestEveryClassIsNamedAsGrantNamesIt(t *testing.T) {
	for _, c := range []struct {
		number, schema, name, kind, want string
	}{
		{"0", "", "", "", ""}, {"1", "s]", "t", "", " ON OBJECT::[s]]].[t]"}, {"3", "", "s", "", " ON SCHEMA::[s]"},
		{"4", "", "r", "R", " ON ROLE::[r]"}, {"4", "", "u", "S", " ON USER::[u]"}, {"4", "", "a", "A", " ON APPLICATION ROLE::[a]"},
		{"10", "s", "x", "", " ON XML SCHEMA COLLECTION::[s].[x]"}, {"25", "", "c", "", " ON CERTIFICATE::[c]"},
	} {
		k, ok := classOf(c.number)
		if got := k.on(c.schema, c.name, c.kind); !ok || got != c.want {
			t.Errorf("%s: got %s, want %s", c.number, got, c.want)
		}
	}
	if _, ok := classOf("99"); ok {
		t.Error("an unknown class is known")
	}
}
