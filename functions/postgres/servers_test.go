package main_test

import (
	"net"
	"testing"
	"time"

	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/local"
	"github.com/seed492efc12/rotor/local/localtls"
	"github.com/seed492efc12/rotor/rotators/postgres/postgrestest"
)

// badServers are what setSecret may meet. Each prepares a world with the role app, whose secret is good, and returns
// what to change in the secret. What may pass is tried again until the function's time is up; that the engine gives up
// before it, and with which class then, TestARotationThatIsCutOffLeavesNothingOpen shows without waiting.
var badServers = []struct {
	name    string
	prepare func(t *testing.T, w *world, app string) document
	want    failure
}{
	{"down", down, failure{class: "Rotation.Timeout", says: "connection refused"}},
	{"a host that DNS does not know", field("host", "no-such-host.invalid"), failure{class: "Rotation.DNS", says: "no-such-host.invalid"}},
	{"no TLS", faulty(postgrestest.Config{Options: servertest.NoTLS()}), failure{class: "Rotation.TLS", says: "Turn TLS on"}},
	{"certificate of another authority", faulty(postgrestest.Config{Options: servertest.Faulty(localtls.OtherCA)}), failure{class: "Rotation.TLS", says: "CA_BUNDLE"}},
	{"certificate expired", faulty(postgrestest.Config{Options: servertest.Faulty(localtls.Expired)}), failure{class: "Rotation.TLS", says: "Renew"}},
	{"certificate of another host", faulty(postgrestest.Config{Options: servertest.Faulty(localtls.WrongName)}), failure{class: "Rotation.TLS", says: "tlsServerName"}},
	{"TLS only", field("ssl", false), failure{class: "Rotation.TLS", says: "with TLS alone"}},
	{"account may not log in", alter(`NOLOGIN`), failure{class: "Rotation.AccountLocked", says: "LOGIN; then rotate again"}},
	{"password expired", alter(`VALID UNTIL '2001-01-01'`), failure{class: "Rotation.LoginRefused", says: "VALID UNTIL"}},
	{"no such database", field("dbname", "nothing_here"), failure{class: "Rotation.NoDatabase", says: "nothing_here"}},
	{"full", full, failure{class: "Rotation.TooManyConnections", says: "too many connections"}},
}

func field(name string, value any) func(*testing.T, *world, string) document {
	return func(*testing.T, *world, string) document { return document{name: value} }
}

func alter(option string) func(*testing.T, *world, string) document {
	return func(t *testing.T, w *world, app string) document {
		w.exec(t, `ALTER ROLE `+app+` `+option)
		return nil
	}
}

// down is a port that nobody listens on.
func down(t *testing.T, _ *world, _ string) document {
	l := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return document{"port": l.Addr().(*net.TCPAddr).Port}
}

// faulty is another server. The function trusts its authority, so that one fault is all there is.
func faulty(c postgrestest.Config) func(*testing.T, *world, string) document {
	return func(t *testing.T, w *world, _ string) document {
		s := postgrestest.Start(t, c)
		w.ca = s.CA
		return document{"port": s.Port}
	}
}

// full lets the role have no connection, which is SQLSTATE 53300 like a server that lets nobody have one.
func full(t *testing.T, w *world, app string) document {
	return alter(`CONNECTION LIMIT 0`)(t, w, app)
}

func TestAServerThatCannotBeUsedIsNamedAndNothingIsLost(t *testing.T) {
	bootstrap, s := build(t), postgrestest.Newest(t)
	for _, c := range badServers {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, bootstrap, s, local.Options{})
			app := w.role(t, "app", firstPassword)
			d := w.document(app, firstPassword).with(c.prepare(t, w, app))
			c.want.put = true
			n := w.wantRefused(t, w.secret(t, "app", d), w.startWith(t, local.FunctionConfig{Timeout: 2 * time.Second}), c.want)
			if failed := n.Steps[len(n.Steps)-1]; failed.Name != "setSecret" {
				t.Errorf("it failed in %s", failed.Name)
			}
		})
	}
}

func TestAStandbyIsNamedAndNothingIsLost(t *testing.T) {
	s := postgrestest.Start(t, postgrestest.Config{}) // a standby is made of a server that is at rest
	if !s.HasLog() {
		t.Skip("no standby can be made of a server that was not started here")
	}
	w := newWorld(t, build(t), s, local.Options{})
	app := w.role(t, "app", firstPassword)
	replica := must(s.Standby())(t)
	closing(t, replica)
	arn := w.secret(t, "app", w.document(app, firstPassword).with(document{"port": replica.Port}))
	w.wantRefused(t, arn, w.start(t), failure{class: "Rotation.ReadOnly", says: "writer", put: true})
}

// A slow server accepts connections and then says nothing.
func slow(t *testing.T) (port int) {
	l := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	t.Cleanup(func() { _ = l.Close() }) // Accept below ends with it
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = c.Close() })
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}

func TestASlowServerEndsTheStepBeforeLambdaDoes(t *testing.T) {
	w := newWorld(t, build(t), postgrestest.Newest(t), local.Options{})
	app := w.role(t, "app", firstPassword)
	arn := w.secret(t, "app", w.document(app, firstPassword).with(document{"port": slow(t)}))
	const timeout = 3 * time.Second
	for _, c := range []struct{ connect, says string }{
		{"10", "the function's time was up before the step was done: logging in as AWSCURRENT user"},
		{"1", "for 1s at most (CONNECT_TIMEOUT)"},
	} {
		t.Run("CONNECT_TIMEOUT="+c.connect, func(t *testing.T) {
			f := w.startWith(t, local.FunctionConfig{Name: "slow" + c.connect, Timeout: timeout}, "CONNECT_TIMEOUT", c.connect)
			arn := arn
			if c.connect == "1" {
				arn = w.secret(t, "again", w.document(app, firstPassword).with(document{"port": slow(t)}))
			}
			n := w.wantRefused(t, arn, f, failure{class: "Rotation.Timeout", says: c.says, put: true})
			if last := n.Steps[len(n.Steps)-1]; last.Duration >= timeout-200*time.Millisecond {
				t.Errorf("it took %v of %v", last.Duration, timeout)
			}
		})
	}
}

// A store's fault, for some requests of each operation.
func answering(code string, operations map[string]int) func(string, int) *local.Fault {
	return func(operation string, n int) *local.Fault {
		if n <= operations[operation] {
			return &local.Fault{Code: code, Message: "said the test"}
		}
		return nil
	}
}

func TestWhatSecretsManagerDeniesIsNamed(t *testing.T) {
	bootstrap, s := build(t), postgrestest.Newest(t)
	for _, operation := range []string{"GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"} {
		t.Run(operation, func(t *testing.T) {
			w := newWorld(t, bootstrap, s, local.Options{Intercept: func(o string, n int) *local.Fault {
				if o == operation && n > 1 || o == operation && o != "GetSecretValue" {
					return &local.Fault{Code: "AccessDeniedException", Message: "said the test"}
				}
				return nil
			}})
			f, arn := w.start(t), w.secret(t, "app", w.document(w.role(t, "app", firstPassword), firstPassword))
			old := w.state(t, arn) // the first GetSecretValue
			_, err := w.Rotate(t.Context(), arn, f)
			w.wantFailure(t, err, failure{class: "Rotation.AccessDenied", says: "calling " + operation + " of Secrets Manager: AccessDeniedException"})
			if now, err := w.Labels(t.Context(), arn); err != nil || now["AWSCURRENT"] != old.labels["AWSCURRENT"] {
				t.Errorf("AWSCURRENT has moved, or %v", err)
			}
		})
	}
}

func TestThrottlingIsRetriedWithinTheStep(t *testing.T) {
	throttled := answering("ThrottlingException", map[string]int{"GetSecretValue": 1, "PutSecretValue": 1, "UpdateSecretVersionStage": 2})
	w := newWorld(t, build(t), postgrestest.Newest(t), local.Options{Intercept: throttled})
	app := w.role(t, "app", firstPassword)
	arn := w.secret(t, "app", w.document(app, firstPassword))
	n, err := w.Rotate(t.Context(), arn, w.start(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(n.Steps) != 4 {
		t.Errorf("%d steps", len(n.Steps))
	}
	if l := w.read(t, arn, "AWSCURRENT"); l.Password == firstPassword || !w.accepts(t, l) {
		t.Error("the password has not changed, or does not work")
	}
}
