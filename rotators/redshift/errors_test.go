package redshift_test

import (
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/local/localtls"
	"github.com/seed492efc12/rotor/rotators/redshift/redshifttest"
)

// own starts a wire-level server that no other test shares.
func own(t *testing.T, c redshifttest.Config) *world {
	t.Helper()
	s, err := redshifttest.StartWire(c)
	s = servertest.ForTest(t, s, err)
	if c.ReadOnly || c.Digest || c.Certificate != localtls.NoFault { // nothing can be made there
		w := &world{server: s, box: s.Fresh(t)}
		w.trust(s)
		return w
	}
	return newWorld(t, s)
}

func TestUsersThatCannotLogIn(t *testing.T) {
	redshifttest.Each(t, func(t *testing.T, s *redshifttest.Server) {
		w := newWorld(t, s)
		user := w.user(t, "")
		w.box.Exec(t, `ALTER USER `+user+` PASSWORD '`+old+`' VALID UNTIL '2001-01-01 00:00:00+00'`)
		for _, strategy := range strategies {
			databasetest.Wants(t, w.rotor(t, strategy, user, old, w.superuser(t)).Rotate(t), rotation.LoginRefused, "VALID UNTIL")
		}
		full := w.user(t, "")
		w.box.Exec(t, `ALTER USER `+full+` CONNECTION LIMIT 0`)
		databasetest.Wants(t, w.rotor(t, database.SingleUser, full, old, w.superuser(t)).Rotate(t), rotation.TooManyConnections)
	})
}

func TestAnOriginalThatCannotBeUsedFailsBeforeTheLabelMoves(t *testing.T) {
	redshifttest.Each(t, func(t *testing.T, s *redshifttest.Server) {
		w := newWorld(t, s)
		user := w.user(t, "")
		r := w.rotor(t, database.AlternatingUsers, user, old, w.superuser(t))
		r.Must(t)
		r.Config.Adopt = []string{user} // whose AWSPREVIOUS does not log in any more
		w.box.Exec(t, `ALTER USER `+user+` PASSWORD '`+old+`' VALID UNTIL '2001-01-01 00:00:00+00'`)
		for _, err := range []error{r.Rotate(t), r.Preflight(t)} {
			databasetest.Wants(t, err, rotation.PasswordExpired, `VALID UNTIL 'infinity'`)
		}
		if got := r.Current().Text("username"); got != user+"_clone" {
			t.Errorf("the label moved to %s", got)
		}
	})
}

func TestAMissingOriginalIsNamed(t *testing.T) {
	redshifttest.Each(t, func(t *testing.T, s *redshifttest.Server) {
		w := newWorld(t, s)
		clone := w.user(t, w.box.Name("lonely")+"_clone")
		r := w.rotor(t, database.AlternatingUsers, clone, old, w.superuser(t))
		databasetest.Wants(t, r.Rotate(t), rotation.NoUser, strings.TrimSuffix(clone, "_clone"))
	})
}

func TestAnAdministratorWithoutRights(t *testing.T) {
	redshifttest.Each(t, func(t *testing.T, s *redshifttest.Server) {
		w := newWorld(t, s)
		user, other := w.user(t, ""), w.user(t, "")
		for _, strategy := range []database.Strategy{database.SingleUserByAdministrator, database.AlternatingUsers} {
			r := w.rotor(t, strategy, user, old, w.secret(t, other, old))
			databasetest.Wants(t, r.Rotate(t), rotation.MissingPrivilege, "CREATEUSER")
			databasetest.Wants(t, r.Preflight(t), rotation.MissingPrivilege, "superuser")
		}
	})
}

func TestPreflightPassesWhereARotationWould(t *testing.T) {
	redshifttest.Each(t, func(t *testing.T, s *redshifttest.Server) {
		w := newWorld(t, s)
		for by, strategy := range strategies {
			if err := w.rotor(t, strategy, w.user(t, ""), old, w.superuser(t)).Preflight(t); err != nil {
				t.Errorf("%s: %v", by, err)
			}
		}
	})
}

func TestServersThatCannotBeUsed(t *testing.T) {
	for name, c := range map[string]struct {
		config redshifttest.Config
		class  rotation.Class
		says   string
	}{
		"without TLS":            {redshifttest.Config{Options: servertest.NoTLS()}, rotation.TLS, "TLS_FALLBACK"},
		"another authority":      {redshifttest.Config{Options: servertest.Faulty(localtls.OtherCA)}, rotation.TLS, "CA_BUNDLE"},
		"another name":           {redshifttest.Config{Options: servertest.Faulty(localtls.WrongName)}, rotation.TLS, "tlsServerName"},
		"read-only":              {redshifttest.Config{ReadOnly: true}, rotation.ReadOnly, "writer"},
		"a sha256 password":      {redshifttest.Config{Digest: true}, rotation.LoginRefused, "SHA-256"},
		"an expired certificate": {redshifttest.Config{Options: servertest.Faulty(localtls.Expired)}, rotation.TLS, "Renew"},
	} {
		t.Run(name, func(t *testing.T) {
			w := own(t, c.config)
			for _, strategy := range strategies {
				databasetest.Wants(t, w.rotor(t, strategy, "admin", w.server.AdminPassword, w.superuser(t)).Rotate(t), c.class, c.says)
			}
		})
	}
}

func TestWithoutTLSOnlyWhereTheOperatorSaysSo(t *testing.T) {
	w := own(t, redshifttest.Config{Options: servertest.NoTLS()})
	r := w.rotor(t, database.SingleUser, w.user(t, ""), old, w.superuser(t))
	r.Config.Plaintext = true
	r.Must(t)
	if !strings.Contains(r.Log.String(), "plain text") {
		t.Errorf("the log does not say so:\n%s", r.Log.String())
	}
}

func TestTLSIsDemandedByTheServer(t *testing.T) {
	w := own(t, redshifttest.Config{})
	user := w.user(t, "")
	r := w.rotor(t, database.SingleUser, user, old, w.superuser(t))
	r.Store.Write("user", "v0", w.secret(t, user, old).With("ssl", "false"))
	databasetest.Wants(t, r.Rotate(t), rotation.LoginRefused, "require_ssl")
}

func TestLoginsThatTheServerTurnsAwayAreNamed(t *testing.T) {
	w := own(t, redshifttest.Config{})
	user := w.user(t, "")
	for code, want := range map[string]rotation.Class{"57P03": rotation.Unavailable, "53300": rotation.TooManyConnections, "3D000": rotation.NoDatabase} {
		w.server.RefuseLogins(code, "said the test")
		databasetest.Wants(t, w.rotor(t, database.SingleUser, user, old, w.superuser(t)).Rotate(t), want, "said the test")
	}
}

func TestNamesThatRedshiftDoesNotTake(t *testing.T) {
	w := own(t, redshifttest.Config{})
	long := strings.Repeat("é", 63) + "x" // 127 bytes
	user := w.user(t, long)
	w.rotor(t, database.SingleUser, user, old, w.superuser(t)).Must(t)
	databasetest.Wants(t, w.rotor(t, database.AlternatingUsers, user, old, w.superuser(t)).Rotate(t), rotation.BadSecret, "133 bytes")
	for _, name := range []string{long + "x", "public", "PUBLIC", "rdsdb", "IAM:joe", "IAMA:joe:group", "IAMR:role"} {
		databasetest.Wants(t, w.rotor(t, database.SingleUser, name, old, w.superuser(t)).Rotate(t), rotation.BadSecret, name)
	}
}

func TestPasswordsThatRedshiftWouldRefuseAreRefusedBeforeTheyAreSet(t *testing.T) {
	w := own(t, redshifttest.Config{})
	user := w.user(t, "")
	for password, says := range map[string]string{
		"Short01": "8 to 64", strings.Repeat("aB3", 22): "8 to 64", "nouppercase01": "EXCLUDE_UPPERCASE", "NOLOWERCASE01": "EXCLUDE_LOWERCASE", "NoDigitsHere": "EXCLUDE_NUMBERS",
		"Sp ace0000": "a space", "Quote'0000": "a space", `Quote"0000`: "a space", "Sla/sh0000": "a space", `Back\sl000`: "a space", "At@At00000": "a space", "Ümlaut0000": "outside ASCII",
	} {
		for by, strategy := range strategies {
			r := w.rotor(t, strategy, user, old, w.superuser(t))
			r.Config.Password = func() string { return password }
			err := r.Rotate(t)
			databasetest.Wants(t, err, rotation.PasswordRejected, says)
			if err != nil && strings.Contains(err.Error(), password) {
				t.Errorf("%s: the message holds the password", by)
			}
		}
	}
}
