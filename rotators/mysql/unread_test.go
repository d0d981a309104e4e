package mysql

import (
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// Words that are not known: what stands around them is read, they are kept without what they quote, and only what needs
// them fails.
func TestWordsThatAreNotKnownLeaveTheRestReadable(t *testing.T) {
	a := account{"a", "%"}
	for _, c := range []struct {
		name, text string
		unread     []string
		ways       bool
		roles      bool
		locked     bool
	}{
		{"nothing unknown", "CREATE USER `a`@`%` IDENTIFIED WITH 'caching_sha2_password' AS <secret> REQUIRE NONE ACCOUNT LOCK", nil, true, true, true},
		{"a new clause", "CREATE USER `a`@`%` IDENTIFIED WITH 'x' AS 'hush' DEFAULT ROLE `r`@`%` REQUIRE NONE SLEEP 3 'hush' HOURS ACCOUNT LOCK", []string{"SLEEP 3 ... HOURS"}, true, true, true},
		{"a new clause with a known start", "CREATE USER `a`@`%` IDENTIFIED WITH 'x' REQUIRE NONE PASSWORD COLOUR 0xABCDEF0123 ACCOUNT LOCK", []string{"PASSWORD COLOUR ..."}, true, true, true},
		{"a new demand", "CREATE USER `a`@`%` IDENTIFIED WITH 'x' REQUIRE TICKET 'hush' PASSWORD EXPIRE DEFAULT ACCOUNT LOCK", []string{"REQUIRE TICKET ..."}, true, true, true},
		{"a new way", "CREATE USER `a`@`%` IDENTIFIED FROM 'hush' DEFAULT ROLE `r`@`%` REQUIRE NONE ACCOUNT LOCK", []string{"IDENTIFIED FROM ..."}, false, true, true},
		{"another secret", "CREATE USER `a`@`%` IDENTIFIED WITH 'x' AS <hush> REQUIRE NONE ACCOUNT LOCK", []string{"IDENTIFIED WITH ... AS < ... >"}, false, true, true},
		{"an unclosed quote", "CREATE USER `a`@`%` IDENTIFIED WITH 'x' AS 'y' MARK 'hush", []string{"MARK an unclosed quote"}, true, false, false},
		{"another user", "CREATE USER `hush`@`%` IDENTIFIED WITH 'x'", []string{"CREATE USER ... @ ... IDENTIFIED WITH ..."}, false, false, false},
		{"something else", "DROP USER hush", []string{"DROP USER ..."}, false, false, false},
	} {
		d := parseDefinition([]string{c.text}, a, nil)
		if !slices.Equal(d.unread, c.unread) || (len(d.ways) > 0) != c.ways || d.rolesRead != c.roles || d.locked != c.locked {
			t.Errorf("%s: %+v", c.name, d)
		}
		err := d.whole(a)
		switch {
		case c.unread == nil && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.unread != nil && (class(err) != rotation.FewerRights || !strings.Contains(err.Error(), c.unread[0]) || strings.Contains(err.Error(), "hush")):
			t.Errorf("%s: %v", c.name, err)
		case c.unread != nil && asFault(err).Remedy == "":
			t.Errorf("%s has no remedy", c.name)
		}
	}
}

func TestGrantsThatAreNotKnownStopOnlyWhatNeedsAll(t *testing.T) {
	a := account{"a", "%"}
	for line, want := range map[string]string{
		"GRANT SELECT ON *.* TO `a`@`%` UNTIL 'hush'":               "GRANT SELECT ON * . * TO ... @ ... UNTIL ...",
		"GRANT SELECT ON *.* TO `a`@`%` WITH GRANT OPTION FOR 3":    "GRANT SELECT ON * . * TO ... @ ... WITH GRANT OPTION FOR 3",
		"PERMIT SELECT ON *.* TO `a`@`%`":                           "PERMIT SELECT ON * . * TO ... @ ...",
		"GRANT PROXY ON 'o're'@'10.%' TO 'a'@'%'":                   "GRANT PROXY ON ... ... ... 10 . % ... ... ... % an unclosed quote",
		"GRANT SELECT ON `hush":                                     "GRANT SELECT ON an unclosed quote",
		"GRANT PROXY ON 'back\\slash'@'%' TO `a`@`%` IDENTIFIED BY": "GRANT PROXY ON ... @ ... TO ... @ ... IDENTIFIED BY",
	} {
		h := newHoldings()
		for _, l := range []string{"GRANT CREATE USER ON *.* TO `a`@`%`", line} {
			h.read(l, a)
		}
		if !h.has("CREATE USER", everywhere) {
			t.Errorf("%s hides another line", line)
		}
		err := h.whole(a)
		if class(err) != rotation.FewerRights || !strings.HasSuffix(err.Error(), ": "+want) || asFault(err).Remedy == "" {
			t.Errorf("%s\nis %v", line, err)
		}
	}
}

// What MariaDB prints behind the grantee may hold texts that look like an option.
func TestAnOptionIsWhatALineEndsIn(t *testing.T) {
	for tail, want := range map[string]bool{
		"": false, " WITH GRANT OPTION": true, " WITH ADMIN OPTION": true,
		" IDENTIFIED BY PASSWORD '*AB'":                                        false,
		" IDENTIFIED BY PASSWORD '*AB' REQUIRE ISSUER 'x WITH GRANT OPTION'":   false,
		" REQUIRE ISSUER 'O'Re WITH GRANT OPTION' SUBJECT 'x'":                 false,
		" REQUIRE ISSUER 'O'Re' WITH GRANT OPTION MAX_STATEMENT_TIME 3.500000": true,
		" WITH MAX_QUERIES_PER_HOUR 4 MAX_STATEMENT_TIME 3.5":                  false,
	} {
		if got, err := hasOption(tail); got != want || err != nil {
			t.Errorf("%q: %v, %v", tail, got, err)
		}
	}
}

func TestAttributesAreMergedIntoOneAnother(t *testing.T) {
	for _, c := range []struct{ has, want, patch string }{
		{"", "", ""},
		{"", `{"a": 1}`, `{"a":1}`},
		{`{"a": 1}`, "", `{"a":null}`},
		{`{"a": {"b": 1, "c": 2}, "d": [1]}`, `{"a": {"c": 3, "e": 4}, "d": [1]}`, `{"a":{"b":null,"c":3,"e":4}}`},
		{`{"a": {"b": 1}}`, `{"a": "x"}`, `{"a":"x"}`},
		{`{"a": "x"}`, `{"a": {"b": 1}}`, `{"a":{"b":1}}`},
		{`{"a": 1}`, `{"a": 1}`, ""},
	} {
		if got, err := attributePatch(c.has, c.want); got != c.patch || err != nil {
			t.Errorf("from %s to %s: %s, %v; want %s", c.has, c.want, got, err, c.patch)
		}
	}
	if _, err := attributePatch("", "[1]"); err == nil {
		t.Error("an array was taken")
	}
}
