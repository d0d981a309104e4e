package redis_test

import (
	"context"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/rotators/redis"
	"github.com/seed492efc12/rotor/rotators/redis/redistest"
)

// shaped runs a test on a server of a shape, of each product.
func shaped(t *testing.T, shape redistest.Shape, test func(t *testing.T, w *world)) {
	redistest.Products(t, func(t *testing.T, product string) { test(t, own(t, product, redistest.Config{Shape: shape})) })
}

func ways() map[string]database.Strategy {
	return map[string]database.Strategy{"single user": database.SingleUser, "by administrator": database.SingleUserByAdministrator, "alternating": database.AlternatingUsers}
}

func (w *world) rotations(t *testing.T, s database.Strategy, f databasetest.Fixture) *databasetest.Rotations {
	t.Helper()
	return databasetest.NewRotations(t, redis.Driver, s, f)
}

// Users are not replicated: what a rotation changes at the primary alone would be undone by a failover.
func TestAFailoverBringsNoOldPasswordBack(t *testing.T) {
	shaped(t, redistest.Watched, func(t *testing.T, w *world) {
		all := map[string]*databasetest.Rotations{}
		for name, strategy := range ways() {
			all[name] = w.rotations(t, strategy, w.fixture(t, ""))
		}
		for range 2 {
			for _, r := range all {
				r.Must(t)
			}
			w.server.Failover(t)
			for name, r := range all {
				if err := w.probe(t.Context(), r.Current()); err != nil {
					t.Errorf("%s, after the failover: %v", name, err)
				}
			}
		}
	})
}

func TestAReplicaIsRefusedAndItsPrimaryNamed(t *testing.T) {
	shaped(t, redistest.Replicated, func(t *testing.T, w *world) {
		f := w.fixture(t, "")
		ports := w.server.Ports()
		at := func(port int) databasetest.Fixture {
			g := f
			g.User, g.Admin = f.User.With("port", itoa(port)), f.Admin.With("port", itoa(port))
			return g
		}
		for name, strategy := range ways() {
			r := w.rotations(t, strategy, at(ports[1]))
			databasetest.Wants(t, r.Preflight(t), rotation.ReadOnly, "127.0.0.1:"+itoa(ports[0]))
			err := r.Rotate(t)
			databasetest.Wants(t, err, rotation.ReadOnly, "127.0.0.1:"+itoa(ports[0]))
			if err := w.probe(t.Context(), f.User); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		w.rotations(t, database.SingleUser, at(ports[0])).Must(t)
		databasetest.Remedied(t, redis.Driver, w.server.Title, true, rotation.ReadOnly)
	})
}

// A node that cannot be changed stops the rotation. The password in use works at all nodes meanwhile, and the next run
// ends what was begun.
func TestAllNodesAreChangedOrTheNextRunEndsIt(t *testing.T) {
	for _, shape := range []redistest.Shape{redistest.Cluster, redistest.Replicated} {
		shaped(t, shape, func(t *testing.T, w *world) {
			for name, strategy := range ways() {
				for _, noOverlap := range []bool{false, true} {
					for _, at := range []int{0, len(w.server.Ports()) - 1} {
						t.Run(name, func(t *testing.T) { w.cutShort(t, strategy, noOverlap, w.server.Ports()[at]) })
					}
				}
			}
		})
	}
}

// cutShort has the node at a port refuse the change.
func (w *world) cutShort(t *testing.T, strategy database.Strategy, noOverlap bool, port int) {
	f := w.fixture(t, "")
	dba := w.tag + "dba"
	w.user(t, dba, hardPassword, redistest.Administers...)
	f.Admin = w.secret(t, dba, hardPassword)
	r := w.rotations(t, strategy, f)
	r.Config.NoOverlap = noOverlap
	r.Must(t)
	by := dba
	if strategy == database.SingleUser {
		by = f.User.Text("username")
	}
	w.at(t, port, "ACL", "SETUSER", by, "-acl|setuser")
	before := r.Current()
	databasetest.Wants(t, r.Rotate(t), rotation.MissingPrivilege, "+acl|setuser")
	if err := w.probe(t.Context(), before); err != nil {
		t.Errorf("AWSCURRENT: %v", err)
	}
	w.at(t, port, "ACL", "SETUSER", by, "+acl|setuser")
	if err := r.Planned(t); err != nil {
		t.Error(err)
	}
	if err := w.probe(t.Context(), r.Current()); err != nil {
		t.Error(err)
	}
	if strategy != database.AlternatingUsers {
		w.wantsRefused(t, before, noOverlap)
	}
}

// wantsRefused checks at every node that a login is refused, or taken.
func (w *world) wantsRefused(t *testing.T, doc secret.Document, refused bool) {
	t.Helper()
	for _, port := range w.server.Ports() {
		c, err := w.server.Connect(t.Context(), port, doc.Text("username"), doc.Text("password"))
		if err == nil {
			_ = c.Close()
		}
		if redistest.Refused(err) != refused {
			t.Errorf("port %d: %v", port, err)
		}
	}
}

// at runs a command as the administrator at one node.
func (w *world) at(t *testing.T, port int, words ...string) any {
	t.Helper()
	arguments := make([]any, len(words)-1)
	for i, word := range words[1:] {
		arguments[i] = word
	}
	reply, err := w.server.Do(context.Background(), port, words[0], arguments...)
	if err != nil {
		t.Fatalf("%s: %v", strings.Join(words[:2], " "), err)
	}
	return reply
}

func TestASentinelIsAskedByName(t *testing.T) {
	shaped(t, redistest.Watched, func(t *testing.T, w *world) {
		f := w.fixture(t, "")
		for _, c := range []struct{ field, value, says string }{
			{"sentinelMaster", "nobody", "SENTINEL MASTERS"},
			{"sentinelMaster", "", "sentinelMaster"},
			{"sentinelPassword", "wrong", "sentinelPassword"},
			{"sentinelPassword", "", "NOAUTH"},
		} {
			g := f
			g.User = f.User.With(c.field, c.value)
			r := w.rotations(t, database.SingleUser, g)
			if c.field == "sentinelMaster" && c.value == "" { // the user is none of the Sentinel's, who says no more than that
				g.User = g.User.With("username", w.server.AdminUser).With("password", w.server.AdminPassword)
				r = w.rotations(t, database.SingleUser, g)
			}
			databasetest.Wants(t, r.Rotate(t), rotation.BadSecret, c.says)
		}
		w.rotations(t, database.SingleUser, f).Must(t)
	})
}
