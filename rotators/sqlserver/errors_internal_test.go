package sqlserver

import (
	"errors"
	"strings"
	"testing"

	mssql "github.com/microsoft/go-mssqldb"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// The table's remedies know no user: neither at the login nor in a session is one left unnamed.
func TestARemedyOfASessionNamesItsUser(t *testing.T) {
	c := &conn{login: database.Login{User: "a]b"}}
	for code := range codes {
		var f *rotation.Fault
		if !errors.As(c.fault(mssql.Error{Number: code}), &f) || strings.Contains(f.Remedy, database.UserHere) {
			t.Errorf("%d: %v", code, f)
		} else if strings.Contains(codes[code].Remedy, database.UserHere) && !strings.Contains(f.Remedy, "[a]]b]") {
			t.Errorf("%d: the remedy is %q", code, f.Remedy)
		}
	}
}
