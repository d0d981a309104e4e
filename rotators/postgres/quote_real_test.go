package postgres

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/seed492efc12/rotor/rotators/internal/pgwire"
	"github.com/seed492efc12/rotor/rotators/postgres/postgrestest"
)

// What FuzzQuoting asks of our reading of the manual, this asks the newest server that is here.
func FuzzARealServerReadsWhatWasQuoted(f *testing.F) {
	conn := realSession(f)
	for _, s := range []string{`a`, `'`, `\`, `\'`, `''`, `"`, `""`, `E'`, "\n", `ü漢😀`, `$1;--`, `/*`, ` a `, `UPPER`, `$$`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if s == "" || len(s) > 63 || !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
			t.Skip("no name, or no text, of the server's")
		}
		for _, standard := range []string{"on", "off"} {
			if _, err := conn.Exec(t.Context(), `SET standard_conforming_strings = `+standard); err != nil {
				t.Fatal(err)
			}
			rows, err := conn.Query(t.Context(), `SELECT `+literal(s)+`::text AS `+pgwire.Ident(s), pgx.QueryExecModeExec)
			if err != nil {
				t.Fatal(err)
			}
			name := rows.FieldDescriptions()[0].Name
			value, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[string])
			if err != nil || value != s || name != s {
				t.Fatalf("%q was read as the text %q and the name %q, standard_conforming_strings %s (%v)", s, value, name, standard, err)
			}
		}
	})
}

func realSession(f *testing.F) *pgx.Conn {
	f.Helper()
	s := postgrestest.Start(f, postgrestest.Config{})
	conn, err := s.Admin(f.Context(), "")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = conn.Close(f.Context()) })
	return conn
}
