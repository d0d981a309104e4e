package mysql

import (
	"slices"
	"strings"
	"testing"
)

// Whatever a name or a text holds, the server's lexer reads it back as it was.
// Source of its rules: MySQL manual, 11.1.1 and 11.2.
func FuzzQuoting(f *testing.F) {
	for _, s := range []string{"", "a", "`", "``", "'", `\`, `\'`, `'\`, `a' OR '1'='1`, "` TO `", "\x00\n\r\x1a", "ünï漢字", `\\''`, "%_"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, c := range []struct {
			quoted string
			quote  byte
		}{{ident(s), '`'}, {literal(s), '\''}} {
			got, size := readBack(t, c.quoted, c.quote)
			if got != s || size != len(c.quoted) {
				t.Errorf("%q became %s, which is %q, %d of %d bytes", s, c.quoted, got, size, len(c.quoted))
			}
			tokens, err := lex(c.quoted)
			if err != nil || len(tokens) != 2 || tokens[0].value != s {
				t.Errorf("the own lexer reads %s as %v, %v", c.quoted, tokens, err)
			}
		}
	})
}

// readBack is the server's rule, written anew: a doubled quote is one, and in
// texts a backslash makes the next character a plain one. The letters that mean
// something after a backslash never come, since quoting writes only \\.
func readBack(t *testing.T, quoted string, quote byte) (string, int) {
	t.Helper()
	var b []byte
	for i := 1; i < len(quoted); i++ {
		switch c := quoted[i]; {
		case c == '\\' && quote == '\'':
			i++
			if quoted[i] != '\\' {
				t.Fatalf("%s escapes %q", quoted, quoted[i])
			}
			b = append(b, '\\')
		case c != quote:
			b = append(b, c)
		case i+1 < len(quoted) && quoted[i+1] == quote:
			b = append(b, quote)
			i++
		default:
			return string(b), i + 1
		}
	}
	t.Fatalf("%s is not closed", quoted)
	return "", 0
}

// Whatever the names are, a line of SHOW GRANTS is taken apart where the server
// put it together, and the statement for the clone names the same object byte
// for byte.
func FuzzGrantRewriting(f *testing.F) {
	f.Add("app", "%", "db", "t", "c", "clone", true)
	f.Add("a TO b", "10.0.%", "` TO `x`@`%", "t` ON `u", ") ON `d`.* TO `e", "' TO '", false)
	f.Add("`", "`", "`", "`", "`", "`", true)
	f.Add("'@'%", "", `my\_db`, `"; --`, "ü", `\`, true)
	f.Add(" WITH GRANT OPTION", "localhost", "%", "_", ",", " FROM ", false)
	f.Fuzz(func(t *testing.T, user, host, database, table, column, clone string, option bool) {
		a := account{user, host}
		on := ident(database) + "." + ident(table)
		tail := ""
		if option {
			tail = " WITH GRANT OPTION"
		}
		forms := []string{a.String(), literal(user) + "@" + literal(host)}
		if !strings.Contains(user+host, "'") && !strings.Contains(user+host, "\\") {
			forms = append(forms, "'"+user+"'@'"+host+"'")
		}
		for _, form := range forms {
			for _, hash := range []string{"", " IDENTIFIED BY PASSWORD '*ABC' REQUIRE SUBJECT 'WITH GRANT OPTION'"} {
				line := "GRANT SELECT (" + ident(column) + ", `b`), INSERT ON " + on + " TO " + form + hash + tail
				g, err := parseGrant(line, a)
				if err != nil {
					t.Fatalf("%s: %v", line, err)
				}
				if g.object != on || g.option != option || g.grantee != "" || len(g.privileges) != 2 || !slices.Equal(g.privileges[0].columns, []string{ident(column), "`b`"}) {
					t.Fatalf("%s\nis %+v", line, g)
				}
				to := account{clone, host}
				has := newHoldings()
				has.add(g)
				list := changes(newHoldings(), has, to.String())
				if len(list) != 1 || !strings.HasSuffix(list[0].statement, " ON "+on+" TO "+to.String()+tail) {
					t.Fatalf("%s\nbecomes %+v", line, list)
				}
			}
		}
	})
}

// No text makes the readers panic or run for ever.
func FuzzReaders(f *testing.F) {
	f.Add("GRANT SELECT ON *.* TO `a`@`%`")
	f.Add("CREATE USER `a`@`%` IDENTIFIED VIA x OR y USING 'z' WITH MAX_STATEMENT_TIME 1.5 PASSWORD EXPIRE")
	f.Add("SET DEFAULT ROLE `r` FOR `a`@`%`")
	f.Add("GRANT `r`@`%`,`s`@`%` TO `a`@`%` WITH ADMIN OPTION")
	f.Add("REVOKE SELECT, INSERT ON `mysql`.* FROM `a`@`%`")
	f.Fuzz(func(t *testing.T, text string) {
		a := account{"a", "%"}
		if g, err := parseGrant(text, a); err == nil {
			h := newHoldings()
			h.add(g)
			if again := changes(h, h, a.String()); len(again) != 0 {
				t.Errorf("%q differs from itself: %v", text, again)
			}
		}
		d := parseDefinition([]string{text}, a, nil)
		_ = d.options(&facts{})
		_, _ = attributePatch("", d.attribute)
		_ = contains(text, text)
	})
}
