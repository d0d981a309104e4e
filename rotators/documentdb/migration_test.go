package documentdb_test

import (
	"fmt"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/rotators/documentdb"
)

// A migrant is a secret that AWS's function for two users of MongoDB has rotated.
type migrant struct {
	*world
	*rotor
	user, home string
	turns      int
}

// aws is one rotation by AWS's function. As it has it, all is said in the one database that the secrets name; a clone that
// exists gets a password alone, and one that does not gets the roles of the user in use, and nothing else.
// Source: aws-samples/aws-secrets-manager-rotation-lambdas, SecretsManagerMongoDBRotationMultiUser.
func (m *migrant) aws(t *testing.T) {
	t.Helper()
	current := m.store.Value("user", rotation.Current)
	name := current.Text("username")
	next, isClone := strings.CutSuffix(name, "_clone")
	if !isClone {
		next = name + "_clone"
	}
	m.turns++
	version, password := fmt.Sprint("aws", m.turns), fmt.Sprint("AWS's password ", m.turns)
	if len(m.run(t, m.home, bson.D{{Key: "usersInfo", Value: next}})["users"].(bson.A)) > 0 {
		m.run(t, m.home, bson.D{{Key: "updateUser", Value: next}, {Key: "pwd", Value: password}})
	} else {
		m.run(t, m.home, bson.D{{Key: "createUser", Value: next}, {Key: "pwd", Value: password}, {Key: "roles", Value: m.info(t, m.home, name)["roles"]}})
	}
	m.store.Write("user", version, current.With("username", next).With("password", password))
	m.store.Stage("user", rotation.Previous, m.currentVersion(t))
	m.store.Stage("user", rotation.Current, version)
}

// currentVersion is the version that is current.
func (m *migrant) currentVersion(t *testing.T) string {
	t.Helper()
	s, err := m.store.Status(t.Context(), "user")
	if err != nil {
		t.Fatal(err)
	}
	for version, stages := range s.Stages {
		for _, stage := range stages {
			if stage == rotation.Current {
				return version
			}
		}
	}
	t.Fatal("no version is current")
	return ""
}

// command is what somebody did to the server since.
func (m *migrant) command(t *testing.T, name, user, role, database string) {
	t.Helper()
	m.run(t, m.home, bson.D{{Key: name, Value: user}, {Key: "roles", Value: bson.A{grant(role, database)}}})
}

// A migration is what was done before Rotor came, and what its trial says.
type migration struct {
	name   string
	turns  int // of AWS's function: after an odd number the clone is in use
	since  func(t *testing.T, m *migrant)
	trial  rotation.Class // "" for yes
	remedy func(t *testing.T, m *migrant, said error)
}

// adopting does what the remedy of NotItsTwin says.
func adopting(t *testing.T, m *migrant, said error) {
	t.Helper()
	m.rotator.Adopt = []string{databasetest.Remedy(t, said, "CLONE_ADOPT=", " in the function's environment")}
}

func migrations() []migration {
	edited := func(_ *testing.T, m *migrant) { m.store.Stage("user", rotation.Previous, "") }
	revoked := func(t *testing.T, m *migrant) { m.command(t, "revokeRolesFromUser", m.user, "read", m.stock()) }
	more := func(t *testing.T, m *migrant) { m.command(t, "grantRolesToUser", m.user+"_clone", "dbAdmin", m.shop()) }
	return []migration{
		{"never rotated", 0, nil, "", nil},
		{"the clone in use", 1, nil, "", nil},
		{"the original in use", 2, nil, "", nil},
		{"the original in use, and was given a role", 2, func(t *testing.T, m *migrant) {
			m.command(t, "grantRolesToUser", m.user, "dbAdmin", m.shop())
		}, "", nil},
		{"the original in use, and the clone may do more", 2, more, "", nil},
		{"the original in use, with settings that AWS's function does not copy", 2, func(t *testing.T, m *migrant) {
			m.run(t, m.home, bson.D{{Key: "updateUser", Value: m.user}, {Key: "customData", Value: bson.D{{Key: "team", Value: "shop"}}},
				{Key: "authenticationRestrictions", Value: bson.A{bson.D{{Key: "clientSource", Value: bson.A{"127.0.0.0/8", "::1"}}}}}, {Key: "mechanisms", Value: bson.A{"SCRAM-SHA-256"}}})
		}, "", nil},
		{"the original in use, AWSPREVIOUS lost", 2, edited, rotation.NotItsTwin, adopting},
		{"the original in use, AWSPREVIOUS lost, the clone dropped", 2, edited, rotation.NotItsTwin, func(t *testing.T, m *migrant, said error) {
			databasetest.Wants(t, said, rotation.NotItsTwin, "drop it: the next rotation makes a new one")
			m.drop(t, m.home, "dropUser", m.user+"_clone")
		}},
		{"the clone in use, AWSPREVIOUS lost", 1, edited, rotation.NotItsTwin, adopting},
		{"the clone in use, and the original lost a role that it needs", 1, revoked, rotation.FewerRights, func(t *testing.T, m *migrant, said error) {
			databasetest.Wants(t, said, rotation.FewerRights, "It lacks: role read on database "+m.stock(), fmt.Sprintf("Grant them to %q", m.user))
			m.command(t, "grantRolesToUser", m.user, "read", m.stock())
		}},
		{"the clone in use, and the original lost a role that it does not need", 1, revoked, rotation.FewerRights, func(t *testing.T, m *migrant, said error) {
			databasetest.Wants(t, said, rotation.FewerRights, "It lacks: role read on database "+m.stock(), fmt.Sprintf("revoke them from %q", m.user+"_clone"))
			m.command(t, "revokeRolesFromUser", m.user+"_clone", "read", m.stock())
		}},
		{"the clone in use, and may do more", 1, more, rotation.FewerRights, func(t *testing.T, m *migrant, said error) {
			databasetest.Wants(t, said, rotation.FewerRights, "It lacks: role dbAdmin on database "+m.shop(), "CLONE_DRIFT=grant does the first by itself")
			m.rotator.GrantDrift = true
		}},
		{"the clone in use, AWSPREVIOUS lost, and the original lost a role", 1, func(t *testing.T, m *migrant) { edited(t, m); revoked(t, m) }, rotation.NotItsTwin, func(t *testing.T, m *migrant, said error) {
			adopting(t, m, said)
			databasetest.Wants(t, m.try(t), rotation.FewerRights)
			m.command(t, "grantRolesToUser", m.user, "read", m.stock())
		}},
	}
}

// try is a trial that leaves nothing behind.
func (m *migrant) try(t *testing.T) error {
	t.Helper()
	defer m.store.End("user")
	return m.trial(t)
}

// A secret that AWS's function has rotated goes on with Rotor, at once or after what the trial's remedy says; and then AWS's
// function could go on with it.
func TestRotationsGoOnFromWhatAWSsFunctionLeft(t *testing.T) {
	eachAlone(t, func(t *testing.T, w *world) {
		for i, c := range migrations() {
			t.Run(c.name, func(t *testing.T) {
				w.migrate(t, c, w.name(fmt.Sprint("app", i)), []string{"admin", w.shop()}[i%2])
			})
		}
	})
}

func (w *world) migrate(t *testing.T, c migration, user, home string) {
	w.user(t, home, user, "first password")
	first := w.awsSecret(t, user, home)
	m := &migrant{world: w, rotor: w.rotor(t, database.AlternatingUsers, first), user: user, home: home}
	for range c.turns {
		m.aws(t)
	}
	if c.since != nil {
		c.since(t, m)
	}
	before := m.store.Value("user", rotation.Current)
	said := m.try(t)
	if c.trial != "" {
		databasetest.Wants(t, said, c.trial)
		c.remedy(t, m, said)
		said = m.try(t)
	}
	if said != nil {
		t.Fatalf("the trial: %v", said)
	}
	for n := range 3 {
		m.must(t)
		m.rotator.Adopt = nil // "until one rotation has ended well"
		if err := m.try(t); err != nil {
			t.Errorf("the trial after rotation %d: %v", n, err)
		}
	}
	if c.trial != "" && !t.Failed() {
		databasetest.Remedied(t, documentdb.Driver, w.server.Title, w.server.Real, c.trial)
	}
	m.wantAWSsGround(t, before)
	m.aws(t)
	m.must(t) // and back again
}

// wantAWSsGround checks that AWS's function could go on: both versions are logins, and the secret's other fields are as they were.
func (m *migrant) wantAWSsGround(t *testing.T, before secret.Document) {
	t.Helper()
	for _, stage := range []string{rotation.Current, rotation.Previous} {
		doc := m.store.Value("user", stage)
		if err := m.dial(t, doc.With("authSource", m.home)); err != nil {
			t.Errorf("%s: %v", stage, err)
		}
		for _, field := range secret.Differ(before, doc) {
			if field != "username" && field != "password" {
				t.Errorf("%s has another %s", stage, field)
			}
		}
	}
	if a, b := m.store.Value("user", rotation.Current).Text("username"), m.store.Value("user", rotation.Previous).Text("username"); a == b {
		t.Errorf("both versions are of %s", a)
	}
}

// awsSecret is one as AWS's function takes it: where the user is defined, dbname says.
func (w *world) awsSecret(t *testing.T, user, home string) secret.Document {
	t.Helper()
	doc, err := secret.Parse(fmt.Appendf(nil, `{"engine":"mongo","host":%q,"port":%d,"username":%q,"password":"first password","dbname":%q,"ssl":%s,"masterarn":"admin","note":"keep"}`,
		w.server.Host, w.server.Port, user, home, w.server.SSL()))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}
