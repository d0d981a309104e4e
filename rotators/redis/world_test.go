package redis_test

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"testing"

	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/internal/harnesstest"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/rotators/redis/redistest"
)

func TestMain(m *testing.M) { redistest.Main(m) }

// A world is a server with users that no other test has.
type world struct {
	server *redistest.Server
	tag    string // begins the names of all that it makes
	users  int
}

func newWorld(s *redistest.Server) *world { return &world{server: s, tag: "r" + rand.Text()[:10]} }

// each runs a test on each server.
func each(t *testing.T, test func(t *testing.T, w *world)) {
	redistest.Each(t, func(t *testing.T, s *redistest.Server) { test(t, newWorld(s)) })
}

// own is a server for one test.
func own(t *testing.T, product string, c redistest.Config) *world {
	t.Helper()
	return newWorld(redistest.Start(t, product, c))
}

// application are the rules of an application that may change itself: keys, channels, and a selector.
func (w *world) application() []string {
	return append([]string{"~" + w.tag + ":*", "%R~" + w.tag + "_read:*", "&" + w.tag + ":*", "+@read", "+@write", "+@pubsub", "+ping", "+select", "-flushall", "-flushdb", "+config|get",
		"(%W~" + w.tag + "_log:* -@all +rpush)"}, redistest.Administers...)
}

// hardPassword has every printable character, and some that are none of ASCII's.
const hardPassword = " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~ ünï 漢字"

// user makes a user, and drops it and its clone when the test ends.
func (w *world) user(t *testing.T, name, password string, rules ...string) {
	t.Helper()
	w.acl(t, append([]string{"SETUSER", name, "on", ">" + password}, rules...)...)
	t.Cleanup(func() { w.acl(t, "DELUSER", name, name+"_clone") })
}

// acl runs a command of ACL as the administrator, at every node.
func (w *world) acl(t *testing.T, words ...string) {
	t.Helper()
	arguments := make([]any, len(words))
	for i, word := range words {
		arguments[i] = word
	}
	if err := w.server.Everywhere(context.Background(), "ACL", arguments...); err != nil {
		t.Fatalf("ACL %s: %v", words[0], err)
	}
}

// secret is that of a user of this server.
func (w *world) secret(t *testing.T, user, password string) secret.Document {
	t.Helper()
	fields := maps.Clone(w.server.Place())
	fields["username"], fields["password"], fields["masterarn"] = user, password, "admin"
	return harnesstest.Secret(t, fields)
}

// fixture makes a user with the application's rules.
func (w *world) fixture(t *testing.T, name string) databasetest.Fixture {
	t.Helper()
	if name == "" {
		w.users++
		name = fmt.Sprint(w.tag, "app", w.users)
	}
	w.user(t, name, hardPassword, w.application()...)
	return w.fixtureOf(t, name, hardPassword)
}

func (w *world) fixtureOf(t *testing.T, name, password string) databasetest.Fixture {
	t.Helper()
	f := databasetest.Fixture{User: w.secret(t, name, password), Admin: w.secret(t, w.server.AdminUser, w.server.AdminPassword), Probe: w.probe}
	f.Roots = w.roots()
	return f
}

// roots are the server's authorities, nil without TLS.
func (w *world) roots() *x509.CertPool {
	if w.server.TLS == servertest.TLSOff {
		return nil
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(w.server.CA)
	return roots
}

// probe logs in at every node, and uses the application's rights where the server is one.
func (w *world) probe(ctx context.Context, doc secret.Document) error {
	for _, port := range w.server.Ports() {
		c, err := w.server.Connect(ctx, port, doc.Text("username"), doc.Text("password"))
		if err != nil {
			return fmt.Errorf("port %d: %w", port, err)
		}
		_, err = c.Do("PING")
		if err == nil && w.server.Shape() == redistest.Alone {
			err = w.use(func(command string, arguments ...any) error { _, err := c.Do(command, arguments...); return err })
		}
		if err := errors.Join(err, c.Close()); err != nil {
			return err
		}
	}
	return nil
}

// use does what the application may, and tries what it may not.
func (w *world) use(do func(command string, arguments ...any) error) error {
	err := errors.Join(do("SET", w.tag+":a", "1"), do("GET", w.tag+"_read:a"), do("RPUSH", w.tag+"_log:a", "1"), do("PUBLISH", w.tag+":c", "1"), do("DEL", w.tag+":a"))
	if err != nil {
		return err
	}
	for _, denied := range [][]any{{"SET", w.tag + "_read:a", "1"}, {"LRANGE", w.tag + "_log:a", "0", "1"}, {"FLUSHALL"}, {"GET", "somebody's"}} {
		if do(denied[0].(string), denied[1:]...) == nil {
			return fmt.Errorf("it may %v", denied)
		}
	}
	return nil
}
