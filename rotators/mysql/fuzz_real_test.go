package mysql

import (
	"database/sql"
	"encoding/hex"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/seed492efc12/rotor/rotators/mysql/mysqltest"
)

// What FuzzQuoting asks of our reading of the manual, this asks a real server.
func FuzzARealServerReadsWhatWasQuoted(f *testing.F) {
	conn := realSession(f)
	for _, s := range []string{"a", "`", "``", "'", `\`, `\'`, `'\`, `a' OR '1'='1`, "` TO `", "\n\r\x1a", "ünï漢字😀", `\\''`, "%_", `"`, "/*", "--"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			t.Skip("no text of the server's")
		}
		var value string
		if err := conn.QueryRowContext(t.Context(), "SELECT "+literal(s)).Scan(&value); err != nil || value != s {
			t.Fatalf("%q was read as the text %q (%v)", s, value, err)
		}
		if isName(s) {
			asUser(t, conn, s)
		}
	})
}

// isName reports whether a user can have that name.
// Source: MariaDB and MySQL manuals, "Identifier Names".
func isName(s string) bool {
	return s != "" && s != "admin" && utf8.RuneCountInString(s) <= 64 && strings.TrimSpace(s) == s &&
		!strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > 0xFFFF })
}

// asUser makes a user of a name, and looks it up.
func asUser(t *testing.T, conn *sql.Conn, name string) {
	t.Helper()
	for _, statement := range []string{"CREATE USER " + ident(name) + "@" + ident("%") + " IDENTIFIED BY " + literal(name), "DROP USER " + ident(name) + "@" + ident("%")} {
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
		if !strings.HasPrefix(statement, "CREATE") {
			continue
		}
		var made int
		byBytes := "SELECT COUNT(*) FROM mysql.user WHERE Host = '%' AND CAST(User AS BINARY) = X'" + hex.EncodeToString([]byte(name)) + "'"
		if err := conn.QueryRowContext(t.Context(), byBytes).Scan(&made); err != nil || made != 1 {
			t.Fatalf("the user %q was made under another name (%v)", name, err)
		}
	}
}

func realSession(f *testing.F) *sql.Conn {
	f.Helper()
	s := mysqltest.Start(f, mysqltest.MySQL, mysqltest.Config{})
	db, err := s.Admin(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = db.Close() })
	conn, err := db.Conn(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	return conn
}
