package postgres_test

import (
	"crypto/x509"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/postgres/postgrestest"
)

// Many users' secrets name a pooler.
func TestRotationsThroughAPooler(t *testing.T) {
	for _, mode := range []string{"session", "transaction"} {
		t.Run(mode, func(t *testing.T) {
			w := newWorld(t, postgrestest.Start(t, postgrestest.Config{}))
			pooler := postgrestest.Pooler(t, w.server, mode)
			roots := x509.NewCertPool()
			roots.AppendCertsFromPEM(pooler.CA)
			there := &world{server: pooler, box: w.box, roots: roots}
			for name, s := range map[string]database.Strategy{"single user": database.SingleUser, "by administrator": database.SingleUserByAdministrator, "alternating": database.AlternatingUsers} {
				t.Run(name, func(t *testing.T) {
					r := there.rotor(t, s, w.user(t, "", "old"), "old", there.superuser(t))
					for range 3 {
						r.Must(t)
						d := r.Current()
						conn, err := pooler.Connect(t.Context(), d.Text("username"), d.Text("password"), w.box.Database)
						if err != nil {
							t.Fatal(err)
						}
						if _, err := conn.Exec(t.Context(), `INSERT INTO shop.orders (item) VALUES ('tea')`); err != nil {
							t.Error(err)
						}
						_ = conn.Close(t.Context())
					}
					r.Store.Begin("user", "twice")
					for _, step := range []rotation.Step{rotation.CreateSecret, rotation.SetSecret, rotation.SetSecret, rotation.TestSecret, rotation.FinishSecret} {
						if err := r.Engine(t).Handle(t.Context(), rotation.Event{Step: step, SecretID: "user", Token: "twice"}); err != nil {
							t.Fatal(err)
						}
					}
				})
			}
		})
	}
}
