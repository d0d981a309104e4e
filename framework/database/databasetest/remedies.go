package databasetest

import (
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
)

// Remedied logs that a test did what an error of a class says, and that the next
// rotation succeeded. The server is its title.
func Remedied(t *testing.T, d database.Driver, server string, real bool, c rotation.Class) {
	t.Helper()
	t.Logf("GUARANTEE remedy/executed engine=%s server=%q real=%v class=%s points=1", d.Name(), server, real, strings.TrimPrefix(string(c), rotation.Prefix))
}

// A mistake is what somebody did to a secret or a setting, and what the message
// about it says to do. What takes statements is for the driver's own tests.
type mistake struct {
	class rotation.Class
	make  func(*Rotations)
	says  string           // of the remedy
	undo  func(*Rotations) // as it says
}

// remedies makes mistakes, does what the messages say, word for word, and sees the
// rotation succeed: the one under way, as RotateSecret goes on with it, or a new
// one where a message says that it is to be given up.
func (s suite) remedies(t *testing.T) {
	if s.strategy == database.AlternatingUsers {
		t.Run("a user that is to be taken in", s.adoption)
	}
	for name, m := range s.mistakes() {
		t.Run(name, func(t *testing.T) {
			f := s.New(t, "")
			if f.Roots == nil && m.class == rotation.TLS {
				return // there are no certificates
			}
			r := NewRotations(t, s.Driver, s.strategy, f)
			r.Config.NoOverlap = s.NoOverlap
			m.make(r)
			Wants(t, r.Preflight(t), m.class, m.says)
			err := r.Rotate(t)
			Wants(t, err, m.class, m.says)
			m.undo(r)
			for range 2 {
				if err = r.Rotate(t); err == nil || !r.givesUp(t, err) {
					break
				}
			}
			if err != nil {
				t.Fatalf("after what the message says: %v", err)
			}
			if !t.Failed() {
				Remedied(t, s.Driver, s.Server, s.Real, m.class)
			}
		})
	}
}

// adoption lets CLONE_ADOPT name a user that has a clone's name.
func (s suite) adoption(t *testing.T) {
	original := s.stage(t, "")
	twin := original.rotator.Twin(original.User.Text("username"))
	s.New(t, twin)
	r := NewRotations(t, s.Driver, s.strategy, original.Fixture)
	says := "CLONE_ADOPT=" + twin
	Wants(t, r.Preflight(t), rotation.NotItsTwin, says)
	Wants(t, r.Rotate(t), rotation.NotItsTwin, says)
	r.Config.Adopt = []string{twin}
	if err := r.Rotate(t); err != nil {
		Wants(t, err, rotation.MoreRights) // it owns what stays its own: the next mistake, and not this one
		return
	}
	Remedied(t, s.Driver, s.Server, s.Real, rotation.NotItsTwin)
}

// deaf is a port on which nobody listens, and which no test's server can take.
const deaf = "2"

// givesUp gives AWSPENDING up, if the error says so by a command that is whole.
func (r *Rotations) givesUp(t *testing.T, err error) bool {
	t.Helper()
	var e *rotation.Error
	if !errors.As(err, &e) {
		return false
	}
	command := fmt.Sprintf("aws secretsmanager update-secret-version-stage --secret-id user --version-stage AWSPENDING --remove-from-version-id v%d", r.version)
	if !strings.Contains(e.Remedy, command) {
		return false
	}
	r.Store.End("user")
	return true
}

func (s suite) mistakes() map[string]mistake {
	edit := func(id, field, value string) func(*Rotations) {
		return func(r *Rotations) {
			r.edit(id, func(d secret.Document) secret.Document { return d.With(field, value) })
		}
	}
	all := map[string]mistake{}
	field := func(id, field, wrong string, class rotation.Class, says string) {
		was := ""
		all[fmt.Sprintf("the %s of %s", field, id)] = mistake{class, func(r *Rotations) {
			was = r.Store.Value(id, rotation.Current).Text(field)
			edit(id, field, wrong)(r)
		}, says, func(r *Rotations) { edit(id, field, was)(r) }}
	}
	field("user", "password", "Not-the_password-1", rotation.LoginRefused, "Put a password that works into the secret's AWSCURRENT version")
	field("user", "engine", "another", rotation.BadSecret, "Correct the secret's JSON")
	field("user", "username", "", rotation.BadSecret, "Correct the secret's JSON")
	field("user", "port", deaf, rotation.Unreachable, "Check that the server runs, the secret's host and port")
	if s.Databases {
		field("user", "dbname", "nowhere", rotation.NoDatabase, "dbname")
	}
	var roots func() (*x509.CertPool, error)
	all["an authority that is not known"] = mistake{rotation.TLS, func(r *Rotations) {
		roots = r.Config.Roots
		r.Config.Roots = func() (*x509.CertPool, error) { return x509.NewCertPool(), nil }
	}, "CA_BUNDLE", func(r *Rotations) { r.Config.Roots = roots }}
	if s.strategy != database.SingleUser {
		field("admin", "password", "Not-the_password-1", rotation.LoginRefused, "into the AWSCURRENT version of the administrator's secret, admin")
		field("user", "masterarn", "nobody's", rotation.BadSecret, "Correct masterarn in the secret.")
		field("admin", "port", deaf, rotation.BadSecret, "Put the right host and port into the one that has the wrong ones")
	}
	return all
}

// edit is what PutSecretValue does to AWSCURRENT.
func (r *Rotations) edit(id string, change func(secret.Document) secret.Document) {
	r.Store.Write(id, "v0", change(r.Store.Value(id, rotation.Current)))
}
