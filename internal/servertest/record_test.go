package servertest

import "testing"

func TestARecordHoldsNoPassword(t *testing.T) {
	for _, test := range []struct{ sent, want string }{
		{`ALTER LOGIN [a] WITH PASSWORD = N'x''y]--' OLD_PASSWORD = N'z' UNLOCK`, `ALTER LOGIN [a] WITH PASSWORD = N'redacted' OLD_PASSWORD = N'redacted' UNLOCK`},
		{`CREATE LOGIN [a] WITH PASSWORD=0x0200ABCDEF HASHED`, `CREATE LOGIN [a] WITH PASSWORD=0x00 HASHED`},
		{`ALTER USER "A" IDENTIFIED BY "x'y" REPLACE "z"`, `ALTER USER "A" IDENTIFIED BY "redacted" REPLACE "redacted"`},
		{`ALTER USER "A" IDENTIFIED BY VALUES 'S:12'`, `ALTER USER "A" IDENTIFIED BY VALUES 'redacted'`},
		{`ALTER USER "a" PASSWORD 'md5abc'`, `ALTER USER "a" PASSWORD 'redacted'`},
		{`SELECT REPLACE(name, 'a', 'b') FROM x`, `SELECT REPLACE(name, 'a', 'b') FROM x`},
	} {
		if got := withoutPasswords(test.sent); got != test.want {
			t.Errorf("%s is recorded as %s", test.sent, got)
		}
	}
}
