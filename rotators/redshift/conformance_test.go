package redshift_test

import (
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/redshift"
	"github.com/seed492efc12/rotor/rotators/redshift/redshifttest"
)

var names = []string{`quote"d`, `apo'strophe`, `per%cent`, `sp ace`, `semi;colon--`, `back\slash`, `dollar$1`, `ünïcødé 漢字`, "new\nline", `UPPER`}

// The stand-in would take minutes for a fault at every call, and adds nothing to what a fault does.
func TestConformance(t *testing.T) {
	redshifttest.EachWire(t, func(t *testing.T, s *redshifttest.Server) {
		databasetest.Run(t, databasetest.Harness{Driver: redshift.Driver, Server: s.Title, Real: s.Real, Databases: true, New: newWorld(t, s).fixture, Unmarked: true,
			Names: append(names, strings.Repeat("x", 127-len("_clone")))})
	})
}

var strategies = map[string]database.Strategy{"SingleUser": database.SingleUser, "SingleUserByAdministrator": database.SingleUserByAdministrator, "AlternatingUsers": database.AlternatingUsers}

func TestRotatedUsersCanDoInFactWhatTheyCouldDo(t *testing.T) {
	redshifttest.Each(t, func(t *testing.T, s *redshifttest.Server) {
		if s.Kind == redshifttest.Wire {
			t.Skip("it runs no statements of applications")
		}
		w := newWorld(t, s)
		for by, strategy := range strategies {
			t.Run(by, func(t *testing.T) {
				r := w.rotor(t, strategy, w.user(t, ""), old, w.superuser(t))
				probe := w.probe(w.users)
				for range 3 {
					r.Must(t)
					if err := probe(t.Context(), r.Current()); err != nil {
						t.Errorf("as %s: %v", r.Current().Text("username"), err)
					}
				}
			})
		}
	})
}

func TestHardNamesOnARealServer(t *testing.T) {
	redshifttest.Each(t, func(t *testing.T, s *redshifttest.Server) {
		if s.Kind == redshifttest.Wire {
			t.Skip("covered by TestConformance")
		}
		w := newWorld(t, s)
		for _, name := range names {
			r := w.rotor(t, database.AlternatingUsers, w.user(t, name), old, w.superuser(t))
			probe := w.probe(w.users)
			r.Must(t)
			if err := probe(t.Context(), r.Current()); err != nil {
				t.Errorf("as %s: %v", r.Current().Text("username"), err)
			}
			r.Must(t)
		}
	})
}

func TestTheServersLogHoldsNoPasswordAndNoRefusal(t *testing.T) {
	redshifttest.Each(t, func(t *testing.T, s *redshifttest.Server) {
		if !s.HasLog() {
			t.Skip("the log is out of reach: NOT COVERED")
		}
		w := newWorld(t, s)
		user := w.user(t, "")
		mark := s.Mark()
		passwords := []string{old}
		for _, strategy := range []database.Strategy{database.SingleUser, database.SingleUserByAdministrator, database.AlternatingUsers} {
			r := w.rotor(t, strategy, user, passwords[len(passwords)-1], w.superuser(t))
			for range 2 {
				r.Must(t)
				passwords = append(passwords, r.Store.Value("user", rotation.Current).Text("password"))
			}
		}
		log := s.LogSince(mark)
		for _, p := range passwords {
			if strings.Contains(log, p) {
				t.Errorf("the server's log holds a password")
			}
		}
		if !strings.Contains(log, "PASSWORD 'md5") {
			t.Error("the server's log does not even hold the statements")
		}
		if _, refused := s.LoginsSince(mark); refused != 0 {
			t.Errorf("%d logins were refused", refused)
		}
	})
}
