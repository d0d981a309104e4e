package oracle_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/oracle/oracletest"
)

// All that a server is told is in testdata, for people who know Oracle to read.
// ROTOR_UPDATE_GOLDEN=1 writes it anew.
func TestTheServerIsToldWhatTheGoldenFilesSay(t *testing.T) {
	for _, c := range []struct {
		name     string
		config   oracletest.Config
		strategy database.Strategy
		before   int // rotations that went before
	}{
		{"single-user", oracletest.Config{}, database.SingleUser, 0},
		{"single-user-by-administrator", oracletest.Config{}, database.SingleUserByAdministrator, 0},
		{"alternating-users-new-clone", oracletest.Config{}, database.AlternatingUsers, 0},
		{"alternating-users-original", oracletest.Config{}, database.AlternatingUsers, 1},
		{"alternating-users-clone", oracletest.Config{}, database.AlternatingUsers, 2},
		{"alternating-users-new-clone-11.2", oracletest.Config{Version: "11.2.0.4.0"}, database.AlternatingUsers, 0},
		{"alternating-users-new-clone-rds", oracletest.Config{RDS: true}, database.AlternatingUsers, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := oracletest.Start(c.config)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			w := tagged(t, s.Database(), "")
			r := w.rotor(t, c.strategy, w.user(t, "app"))
			w.exec(t, `GRANT SELECT ON SYS.V_$SESSION TO APP`, `GRANT READ ON DIRECTORY EXPORTS TO APP WITH GRANT OPTION`, `GRANT ROLE TO ADMIN WITH ADMIN OPTION`)
			for range c.before {
				r.Must(t)
			}
			golden(t, filepath.Join("testdata", c.name+".golden"), r.transcript(t))
		})
	}
}

// transcript is what the server logs during setSecret and testSecret, without
// passwords.
// unknown is the password that a new clone gets first.
var unknown = regexp.MustCompile(`aA1_[A-Z2-7]{24}`)

func (r *rotor) transcript(t *testing.T) string {
	t.Helper()
	r.Store.Begin("user", "golden")
	e := r.Engine(t)
	handle := func(steps ...rotation.Step) {
		for _, step := range steps {
			if err := e.Handle(t.Context(), rotation.Event{Step: step, SecretID: "user", Token: "golden"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	handle(rotation.CreateSecret)
	mark := r.w.StandIn.Mark()
	handle(rotation.SetSecret, rotation.TestSecret)
	current, pending := r.Current().Text("password"), r.Store.Value("user", rotation.Pending).Text("password")
	log := strings.NewReplacer(pending, "{new}", current, "{old}").Replace(r.w.StandIn.LogSince(mark))
	return unknown.ReplaceAllString(log, "{unknown}")
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if os.Getenv("ROTOR_UPDATE_GOLDEN") == "1" {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the server was told\n%s\nand not, as %s says,\n%s", got, file, want)
	}
}
