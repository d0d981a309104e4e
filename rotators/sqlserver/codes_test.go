package sqlserver

import (
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/rotators/sqlserver/sqlservertest"
)

// wanted are the classes of all codes; those after a + are worth another try.
const wanted = `
LoginRefused 18456 18452 18450 17892 40615
AccountLocked 18470 18486 15113
PasswordExpired 18487 18488
PasswordRejected 15114 15115 15116 15117 15118 15119 40632 33062 33064
MissingPrivilege 229 230 262 297 300 916 4613 15151 15247
BadSecret 207 208 40508
NotItsTwin 15023
NoDatabase 911 4060 4064 942
NoUser 15007 15008 15410
ReadOnly 3906 3908 976 978 979 982
TooManyConnections 924 + 17809 10928 10929
Unavailable 18461 18451 + 983 1205 15025 15063 922 6005 17142 17147 17187 17189 18401 40197 40501 40613 49918 49919 49920
Unreachable + 233 10054
Timeout 1222
`

type expectation struct {
	class     rotation.Class
	transient bool
}

func expectations() map[int32]expectation {
	all := map[int32]expectation{}
	for line := range strings.Lines(wanted) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		e := expectation{class: rotation.Class("Rotation." + fields[0])}
		for _, f := range fields[1:] {
			if f == "+" {
				e.transient = true
				continue
			}
			var code int32
			if _, err := fmt.Sscan(f, &code); err != nil {
				panic(err)
			}
			all[code] = e
		}
	}
	return all
}

func TestTheReadmeNamesEveryCode(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	said := map[int32]expectation{}
	for line := range strings.Lines(string(readme)) {
		cells := strings.Split(line, "|")
		if len(cells) != 4 {
			continue
		}
		e := expectation{class: rotation.Class("Rotation." + strings.TrimSpace(cells[1]))}
		for _, word := range strings.FieldsFunc(cells[2], func(r rune) bool { return r == ' ' || r == ',' || r == ';' }) {
			e.transient = e.transient || word == "tried"
			var code int32
			if _, err := fmt.Sscan(word, &code); err == nil && rotation.Classes()[e.class] != "" {
				said[code] = e
			}
		}
	}
	if want := expectations(); !maps.Equal(said, want) {
		t.Errorf("README.md has %v, and not %v", said, want)
	}
}

// trial is a server, and how to log in to it.
func trial(t *testing.T) (*sqlservertest.Server, func() (database.Conn, error)) {
	t.Helper()
	s, err := sqlservertest.StartWire(sqlservertest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.CA)
	r, err := database.New(database.Config{Driver: Driver, Strategy: database.SingleUser, Password: func() string { return "x" },
		Roots: func() (*x509.CertPool, error) { return roots, nil }})
	if err != nil {
		t.Fatal(err)
	}
	doc, _ := secret.Parse([]byte(`{"engine":"sqlserver"}`))
	doc = doc.With("host", s.Host).With("port", fmt.Sprint(s.Port)).With("username", s.AdminUser).With("password", s.AdminPassword)
	return s, func() (database.Conn, error) { return r.Connect(t.Context(), doc) }
}

func TestEveryCodeHasItsClass(t *testing.T) {
	server, connect := trial(t)
	want := expectations()
	for code := range codes {
		if _, ok := want[code]; !ok {
			t.Errorf("%d is not tested", code)
		}
	}
	for code, e := range want {
		conn, err := connect()
		if err != nil {
			t.Fatal(err)
		}
		server.FailStatement("/* rotor: about the server */", code)
		err = conn.Check(t.Context())
		_ = conn.Close()
		var f *rotation.Fault
		if !errors.As(err, &f) || f.Class != e.class || f.Transient != e.transient || f.Remedy == "" && f.Class.Remedy() == "" || !strings.Contains(err.Error(), fmt.Sprintf("error %d", code)) {
			t.Errorf("%d: got %+v, want %v", code, f, e)
		}
		if errors.Is(err, database.ErrLoginRefused) {
			t.Errorf("%d: a statement's error leads to another password", code)
		}
	}
}

func TestLoginsThatTheServerTurnsAwayAreNamed(t *testing.T) {
	server, connect := trial(t)
	for code, e := range expectations() {
		server.RefuseLogins(code, codeRefused) // the server ends with 18456 whatever came before
		_, err := connect()
		var f *rotation.Fault
		if !errors.As(err, &f) || f.Class != e.class || f.Transient != e.transient {
			t.Errorf("%d: got %v, want %v", code, err, e)
		}
		if errors.Is(err, database.ErrLoginRefused) != (code == codeRefused) {
			t.Errorf("%d: whether another password is tried: %v", code, err)
		}
	}
	server.RefuseLogins(99999)
	if _, err := connect(); errors.Is(err, database.ErrLoginRefused) || rotation.Retryable(err) || err == nil {
		t.Errorf("an unknown code: got %v", err)
	}
}
