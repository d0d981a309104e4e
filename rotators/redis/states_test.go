package redis_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/rotators/redis"
	"github.com/seed492efc12/rotor/rotators/redis/redistest"
)

// Users are no keys: a server that is out of memory takes a rotation.
func TestAServerOutOfMemoryIsRotated(t *testing.T) {
	redistest.Products(t, func(t *testing.T, product string) {
		w := own(t, product, redistest.Config{})
		for name, strategy := range ways() {
			r := w.rotations(t, strategy, w.fixture(t, ""))
			w.at(t, w.server.Port, "CONFIG", "SET", "maxmemory-policy", "noeviction")
			w.at(t, w.server.Port, "CONFIG", "SET", "maxmemory", "1")
			if _, err := w.server.Do(t.Context(), w.server.Port, "SET", "a", "b"); err == nil {
				t.Fatal("the server has memory")
			}
			trial, err := r.Preflight(t), r.Rotate(t)
			if trial != nil || err != nil {
				t.Errorf("%s: %v, %v", name, trial, err)
			}
			w.at(t, w.server.Port, "CONFIG", "SET", "maxmemory", "0")
		}
	})
}

// A slot that no node serves is no hindrance either: every node that there is gets the password.
func TestAClusterThatLacksSlotsIsRotated(t *testing.T) {
	shaped(t, redistest.Cluster, func(t *testing.T, w *world) {
		w.at(t, w.server.Port, "CLUSTER", "DELSLOTS", "0")
		for name, strategy := range ways() {
			r := w.rotations(t, strategy, w.fixture(t, ""))
			trial, err := r.Preflight(t), r.Rotate(t)
			if trial != nil || err != nil {
				t.Errorf("%s: %v, %v", name, trial, err)
			}
		}
	})
}

// While a server loads its data, the step ends as one that may run again, and does once the data is there.
func TestAServerThatLoadsItsDataIsWaitedFor(t *testing.T) {
	redistest.Products(t, func(t *testing.T, product string) {
		w := own(t, product, redistest.Config{Options: servertest.Options{Settings: map[string]string{"enable-debug-command": "yes", "loading-process-events-interval-bytes": "1024"}}})
		for _, strategy := range ways() {
			r := w.rotations(t, strategy, w.fixture(t, ""))
			w.at(t, w.server.Port, "DEBUG", "POPULATE", "5000")
			w.at(t, w.server.Port, "CONFIG", "SET", "key-load-delay", "1000")
			loaded := make(chan error, 1)
			go func() {
				_, err := w.server.Do(t.Context(), w.server.Port, "DEBUG", "RELOAD")
				loaded <- err
			}()
			for !strings.Contains(fmt.Sprintf("%s", w.at(t, w.server.Port, "INFO", "persistence")), "\nloading:1") {
				select {
				case err := <-loaded:
					t.Fatalf("it did not load while anybody looked: %v", err)
				case <-time.After(10 * time.Millisecond):
				}
			}
			databasetest.Wants(t, r.Preflight(t), rotation.Unavailable, "LOADING", "Wait until")
			databasetest.Wants(t, r.Rotate(t), rotation.Unavailable, "LOADING")
			if err := <-loaded; err != nil {
				t.Fatal(err)
			}
			w.at(t, w.server.Port, "CONFIG", "SET", "key-load-delay", "0")
			r.Must(t)
			databasetest.Remedied(t, redis.Driver, w.server.Title, true, rotation.Unavailable)
		}
	})
}

// A replica that lost its primary, and serves no stale data.
func TestAReplicaWithoutItsPrimaryIsRefused(t *testing.T) {
	shaped(t, redistest.Replicated, func(t *testing.T, w *world) {
		there, replica := w.fixture(t, ""), w.server.Ports()[1]
		f := there
		w.at(t, replica, "CONFIG", "SET", "replica-serve-stale-data", "no")
		w.at(t, replica, "REPLICAOF", "127.0.0.1", "1")
		f.User, f.Admin = f.User.With("port", itoa(replica)), f.Admin.With("port", itoa(replica))
		for _, strategy := range ways() {
			r := w.rotations(t, strategy, f)
			databasetest.Wants(t, r.Preflight(t), rotation.Unavailable, "MASTERDOWN", "point the secret's host at the primary")
			databasetest.Wants(t, r.Rotate(t), rotation.ReadOnly, "is a replica")
		}
		w.rotations(t, database.SingleUser, there).Must(t)
		databasetest.Remedied(t, redis.Driver, w.server.Title, true, rotation.Unavailable)
	})
}

// A server that demands a certificate of its clients: a function has none.
func TestAServerThatWantsACertificateOfItsClientsIsNamed(t *testing.T) {
	redistest.Products(t, func(t *testing.T, product string) {
		w := own(t, product, redistest.Config{})
		r := w.rotations(t, database.SingleUser, w.fixture(t, ""))
		held, err := w.server.Connect(t.Context(), w.server.Port, w.server.AdminUser, w.server.AdminPassword)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = held.Close() }()
		demand := func(yes string) {
			t.Helper()
			if _, err := held.Do("CONFIG", "SET", "tls-auth-clients", yes); err != nil {
				t.Fatal(err)
			}
		}
		demand("yes")
		databasetest.Wants(t, r.Preflight(t), rotation.TLS, "certificate of its clients")
		databasetest.Wants(t, r.Rotate(t), rotation.TLS, "certificate of its clients")
		demand("optional") // as the message says
		r.Must(t)
		databasetest.Remedied(t, redis.Driver, w.server.Title, true, rotation.TLS)
	})
}

// A cluster's replicas have users of their own too.
func TestTheReplicasOfAClusterAreChangedToo(t *testing.T) {
	shaped(t, redistest.Cluster, func(t *testing.T, w *world) {
		w.server.AddReplica(t)
		for name, strategy := range ways() {
			f := w.fixture(t, "")
			r := w.rotations(t, strategy, f)
			for range 2 {
				r.Must(t)
				if err := w.probe(t.Context(), r.Current()); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			if strategy != database.AlternatingUsers {
				w.wantsRefused(t, f.User, true)
			}
		}
	})
}

// Any of several Sentinels may be in the secret, as long as that one runs.
func TestOneOfThreeSentinelsIsDown(t *testing.T) {
	shaped(t, redistest.Watched, func(t *testing.T, w *world) {
		ports := w.server.Sentinels(t, 3)
		f := w.fixture(t, "")
		r := w.rotations(t, database.SingleUser, f)
		r.Must(t)
		w.server.StopSentinel(t)
		databasetest.Wants(t, r.Preflight(t), rotation.Unreachable, "asking the Sentinel at 127.0.0.1:"+itoa(ports[0]))
		f.User = r.Current().With("port", itoa(ports[1])) // as the message says
		r = w.rotations(t, database.SingleUser, f)
		w.server.Failover(t)
		r.Must(t)
		if err := w.probe(t.Context(), r.Current()); err != nil {
			t.Error(err)
		}
		databasetest.Remedied(t, redis.Driver, w.server.Title, true, rotation.Unreachable)
	})
}

// Protected mode lets in the server's own host alone, while the default user has no password.
func TestProtectedModeIsNamed(t *testing.T) {
	address := elsewhere(t)
	redistest.Products(t, func(t *testing.T, product string) {
		w := own(t, product, redistest.Config{Options: servertest.Options{TLS: servertest.TLSOff, Settings: map[string]string{"bind": "0.0.0.0"}}})
		f := w.fixture(t, "")
		w.acl(t, "SETUSER", "default", "on", "nopass", "+@all", "~*")
		w.at(t, w.server.Port, "CONFIG", "SET", "protected-mode", "yes")
		f.User = f.User.With("host", address)
		r := w.rotations(t, database.SingleUser, f)
		databasetest.Wants(t, r.Preflight(t), rotation.Unreachable, "protected mode")
		databasetest.Wants(t, r.Rotate(t), rotation.Unreachable, "CONFIG SET protected-mode no")
		w.acl(t, "SETUSER", "default", "reset") // as the message says
		w.at(t, w.server.Port, "CONFIG", "SET", "protected-mode", "no")
		r.Must(t)
		databasetest.Remedied(t, redis.Driver, w.server.Title, true, rotation.Unreachable)
	})
}

// elsewhere is an address of this machine that is not the loopback's.
func elsewhere(t *testing.T) string {
	t.Helper()
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLoopback() && n.IP.To4() != nil {
			return n.IP.String()
		}
	}
	t.Skip("not covered: this machine has no address but the loopback's")
	return ""
}
