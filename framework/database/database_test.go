package database_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/rotation/rotationtest"
	"github.com/seed492efc12/rotor/framework/secret"
)

func TestConformance(t *testing.T) {
	t.Setenv("ROTOR_TEST_SWEEP", "all")
	for _, overlap := range []bool{false, true} {
		t.Run(fmt.Sprintf("overlap=%v", overlap), func(t *testing.T) {
			m := databasetest.Memory{Overlap: overlap, Unmarked: overlap, Port: 1}
			n, root := 0, rand.Text() // the suite looks for parts of it: it must be no word
			databasetest.Run(t, databasetest.Harness{Driver: m.Driver(), Server: "memory", Overlap: overlap, Unmarked: overlap, Names: []string{`a"b'c`, "ü"},
				New: func(_ *testing.T, name string) databasetest.Fixture {
					if name == "" {
						n++
						name = fmt.Sprint("user", n)
					}
					f := m.Fixture(name)
					m.SetPassword("root", root)
					f.Admin = f.Admin.With("password", root)
					return f
				}})
		})
	}
}

// fixture is a user of a Memory and its secret, "user", of version v0.
type fixture struct {
	databasetest.Memory
	store  rotationtest.Store
	calls  rotationtest.Faults
	config database.Config
	log    bytes.Buffer
}

func newFixture(t *testing.T, s database.Strategy) *fixture {
	t.Helper()
	f := &fixture{}
	made := f.Fixture("app")
	f.store.Add("user", made.User)
	f.store.Add("admin", made.Admin)
	n := 0
	f.config = database.Config{Driver: f.Driver(), Strategy: s, Roots: func() (*x509.CertPool, error) { return x509.NewCertPool(), nil },
		Password: func() string { n++; return fmt.Sprint("new-password-", n) }}
	return f
}

// edit changes the field of a version's value.
func (f *fixture) edit(id, version, field, value string) {
	stage := map[string]string{"v0": rotation.Current, "v1": rotation.Pending, "": rotation.Current}[version]
	f.store.Write(id, version, f.store.Value(id, stage).With(field, value))
}

func (f *fixture) engine(t *testing.T) *rotation.Engine {
	t.Helper()
	r, err := database.New(f.config)
	if err != nil {
		t.Fatal(err)
	}
	return &rotation.Engine{Store: f.calls.Store(&f.store), Rotator: r, Clock: &rotationtest.Clock{}, Log: slog.New(slog.NewTextHandler(&f.log, nil))}
}

func (f *fixture) steps(t *testing.T, steps ...rotation.Step) (err error) {
	t.Helper()
	e := f.engine(t)
	f.store.Begin("user", "v1")
	for _, s := range steps {
		if err = e.Handle(t.Context(), rotation.Event{Step: s, SecretID: "user", Token: "v1"}); err != nil {
			return err
		}
	}
	return nil
}

func class(err error) rotation.Class {
	var e *rotation.Error
	if errors.As(err, &e) {
		return e.Class
	}
	return ""
}

func TestBadSecretsAreNamedBeforeAnythingIsDialled(t *testing.T) {
	for _, c := range []struct{ name, field, value, says string }{
		{"wrong engine", "engine", "oracle", `engine "oracle"`},
		{"missing engine", "engine", "", `no field "engine"`},
		{"missing host", "host", "", `"host"`},
		{"missing username", "username", "", `"username"`},
		{"missing password", "password", "", `"password"`},
		{"NUL", "username", "a\x00b", "NUL"},
		{"port abc", "port", "abc", `port "abc"`},
		{"port 0", "port", "0", `port "0"`},
		{"port too large", "port", "65536", `port "65536"`},
		{"huge port", "port", "123456789012345678901234567890", "port"},
		{"port with a half", "port", "5432.5", "port"},
		{"name too long", "username", strings.Repeat("x", 40), "USERNAME_CHARACTER_LIMIT"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t, database.SingleUser)
			f.config.MaxUser = 32
			f.edit("user", "v0", c.field, c.value)
			err := f.steps(t, rotation.CreateSecret)
			if class(err) != rotation.BadSecret || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v", err)
			}
			if !f.store.Value("user", rotation.Pending).IsZero() || f.Connections() != 0 {
				t.Error("something was written or dialled")
			}
		})
	}
}

func TestAPendingSecretForElsewhereIsNotDialled(t *testing.T) {
	for _, c := range []struct{ field, value string }{{"host", "evil"}, {"port", "2"}, {"username", "root"}, {"engine", "other"}} {
		for _, s := range []database.Strategy{database.SingleUser, database.SingleUserByAdministrator, database.AlternatingUsers} {
			f := newFixture(t, s)
			if err := f.steps(t, rotation.CreateSecret); err != nil {
				t.Fatal(err)
			}
			f.edit("user", "v1", c.field, c.value)
			connect := f.config.Driver.Connect
			f.config.Driver.Connect = func(ctx context.Context, l database.Login) (database.Conn, error) {
				if l.Host == "evil" || l.Port == 2 || l.User == "root" {
					t.Errorf("%s %q: %v was dialled", c.field, c.value, l)
				}
				return connect(ctx, l)
			}
			if err := f.steps(t, rotation.SetSecret); class(err) != rotation.BadSecret {
				t.Errorf("%s %q: got %v", c.field, c.value, err)
			}
		}
	}
}

// A managed administrator's secret, and whose it is.
const (
	secretARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:user"
	rdsTag    = "aws:rds:primaryDBInstanceArn"
	host      = "shop.abc123.eu-west-1.rds.amazonaws.com"
)

func TestAdministratorSecrets(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(f *fixture)
		class  rotation.Class
		says   string
	}{
		{"good", func(*fixture) {}, "", ""},
		{"no masterarn", func(f *fixture) { f.edit("user", "v0", "masterarn", "") }, rotation.BadSecret, "masterarn"},
		{"does not exist", func(f *fixture) { f.edit("user", "v0", "masterarn", "arn:gone") }, rotation.BadSecret, "arn:gone does not exist"},
		{"other host", func(f *fixture) { f.edit("admin", "v0", "host", "evil") }, rotation.BadSecret, "different servers: evil:1 and h:1. Put the right host and port into the one that has the wrong ones (PutSecretValue), then rotate again: user is the user's secret, and admin the administrator's"},
		{"other port", func(f *fixture) { f.edit("admin", "v0", "port", "2") }, rotation.BadSecret, "different servers"},
		{"wrong password", func(f *fixture) { f.edit("admin", "v0", "password", "wrong") }, rotation.LoginRefused, "AWSCURRENT version of the administrator's secret, admin;"},
		{"locked", func(f *fixture) { f.Lock("root") }, rotation.AccountLocked, "administrator user"},
		{"managed, host unknown", func(f *fixture) { f.edit("admin", "v0", "host", "") }, rotation.BadSecret, "no endpoint"},
		{"managed, no tag", func(f *fixture) {
			f.edit("admin", "v0", "host", "")
			f.edit("user", "v0", "host", host)
		}, rotation.BadSecret, "no tag"},
		{"managed, tag of another server", func(f *fixture) {
			f.edit("admin", "v0", "host", "")
			f.edit("user", "v0", "host", host)
			f.store.Tag("admin", rdsTag, "arn:aws:rds:eu-west-1:111122223333:db:other")
		}, rotation.BadSecret, "no tag"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, s := range []database.Strategy{database.SingleUserByAdministrator, database.AlternatingUsers} {
				f := newFixture(t, s)
				c.change(f)
				err := f.steps(t, rotation.CreateSecret, rotation.SetSecret)
				if class(err) != c.class || err != nil && !strings.Contains(err.Error(), c.says) {
					t.Errorf("got %v", err)
				}
				if c.class != "" && f.Rights("app_clone") != nil {
					t.Error("a clone was made")
				}
			}
		})
	}
}

// Whoever may write the user's secret gets the master password nowhere else, and not in plain text.
func TestAManagedAdministratorLogsInByTLSToTheHostItself(t *testing.T) {
	for _, edit := range [][2]string{{"", ""}, {"ssl", "false"}, {"tlsServerName", "evil.example.com"}} {
		t.Run(edit[0], func(t *testing.T) {
			f := newFixture(t, database.AlternatingUsers)
			f.config.Plaintext = true
			cloning := *f.config.Driver.Cloning
			connect := cloning.Connect
			cloning.Connect = func(ctx context.Context, l database.Login) (database.Administrator, error) {
				if l.User == "root" && (l.TLS == nil || l.TLS.ServerName != host || l.TLS.InsecureSkipVerify) {
					t.Error("the administrator logs in without TLS, or to another name")
				}
				return connect(ctx, l)
			}
			f.config.Driver.Cloning = &cloning
			admin, err := secret.Parse([]byte(`{"username":"root","password":"root-password"}`))
			if err != nil {
				t.Fatal(err)
			}
			user := f.store.Value("user", rotation.Current).With("host", host).With("masterarn", "managed")
			if edit[0] != "" {
				user = user.With(edit[0], edit[1])
			}
			f.store.Add(secretARN, user)
			f.store.Add("managed", admin)
			f.store.Tag("managed", rdsTag, "arn:aws:rds:eu-west-1:111122223333:db:shop")
			if err := rotationtest.Rotate(t.Context(), f.engine(t), &f.store, secretARN, "v1"); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestASecretThatDoesNotWorkBorrowsNoAdministrator(t *testing.T) {
	for _, s := range []database.Strategy{database.SingleUserByAdministrator, database.AlternatingUsers} {
		f := newFixture(t, s)
		f.edit("user", "v0", "password", "wrong")
		err := f.steps(t, rotation.CreateSecret, rotation.SetSecret)
		if class(err) != rotation.LoginRefused {
			t.Errorf("got %v", err)
		}
		for _, call := range f.calls.Names() {
			if strings.Contains(call, "admin") {
				t.Errorf("the administrator's secret was read: %s", call)
			}
		}
	}
}

func TestARefusedCurrentPasswordLeadsToTheOthers(t *testing.T) {
	for _, s := range []database.Strategy{database.SingleUser, database.SingleUserByAdministrator} {
		f := newFixture(t, s)
		if err := f.steps(t, rotation.Steps()...); err != nil {
			t.Fatal(err)
		}
		f.store.End("user")
		// Somebody overwrote the current value with nonsense; the previous
		// one is in the database again, as after a restored backup.
		f.store.Write("user", "v1", f.store.Value("user", rotation.Current).With("password", "nonsense"))
		f.SetPassword("app", "old-password")
		before := f.store.State() + f.State()
		if err := f.turn(t, "trial", rotation.TestSecret); err != nil {
			t.Errorf("the trial says %v", err)
		}
		if !strings.Contains(f.log.String(), "takes AWSPREVIOUS's") {
			t.Errorf("the trial does not say who is locked out:\n%s", f.log.String())
		}
		f.store.End("user")
		if after := f.store.State() + f.State(); after != before {
			t.Errorf("the trial changed\n%s to\n%s", before, after)
		}
		if err := rotationtest.Rotate(t.Context(), f.engine(t), &f.store, "user", "v2"); err != nil {
			t.Errorf("got %v", err)
		}
	}
}

// A server may take a password with which it then lets nobody in. Applications must be able to go on.
func TestAPasswordThatLetsNobodyInIsPutBack(t *testing.T) {
	for _, s := range []database.Strategy{database.SingleUser, database.SingleUserByAdministrator, database.AlternatingUsers} {
		for _, overlap := range []bool{false, true} {
			f := newFixture(t, s)
			f.Overlap = overlap
			f.Unusable = func(password string) bool { return strings.HasPrefix(password, "new-") }
			err := f.steps(t, rotation.CreateSecret, rotation.SetSecret)
			if class(err) != rotation.NewPasswordRefused || !strings.Contains(err.Error(), "Applications go on with AWSCURRENT") {
				t.Errorf("%T, overlap %v: got %v", s, overlap, err)
			}
			r, err := database.New(f.config)
			if err != nil {
				t.Fatal(err)
			}
			if conn, err := r.Connect(t.Context(), f.store.Value("user", rotation.Current)); err != nil {
				t.Errorf("%T, overlap %v: locked out: %v", s, overlap, err)
			} else if err := conn.Close(); err != nil {
				t.Error(err)
			}
			f.Unusable = nil // somebody has followed the remedy
			if err := f.steps(t, rotation.SetSecret, rotation.TestSecret, rotation.FinishSecret); err != nil {
				t.Errorf("%T, overlap %v: %v", s, overlap, err)
			}
		}
	}
}

// Whoever corrects AWSCURRENT while a rotation is pending must neither be undone by it nor be locked out.
func TestAnEditDuringARotationIsNotUndone(t *testing.T) {
	for _, s := range []database.Strategy{database.SingleUser, database.SingleUserByAdministrator, database.AlternatingUsers} {
		for _, set := range []bool{false, true} { // whether setSecret has run before the edit
			f := newFixture(t, s)
			steps := []rotation.Step{rotation.CreateSecret}
			if set {
				steps = append(steps, rotation.SetSecret)
			}
			if err := f.steps(t, steps...); err != nil {
				t.Fatal(err)
			}
			f.edit("user", "v0", "dbname", "corrected")
			before := f.store.Value("user", rotation.Pending).Text("password")
			err := f.steps(t, rotation.SetSecret)
			says := "update-secret-version-stage --secret-id user --version-stage AWSPENDING --remove-from-version-id v1"
			if class(err) != rotation.BadSecret || !strings.Contains(err.Error(), "differ in dbname") || !strings.Contains(err.Error(), says) {
				t.Errorf("%T, set %v: got %v", s, set, err)
			}
			if locked := set && s != database.AlternatingUsers; strings.Contains(err.Error(), "has AWSPENDING's password by now") != locked {
				t.Errorf("%T, set %v: got %v", s, set, err)
			} else if locked { // as the remedy says
				f.edit("user", "v0", "password", before)
			}
			f.store.End("user")
			if err := rotationtest.Rotate(t.Context(), f.engine(t), &f.store, "user", "v2"); err != nil {
				t.Errorf("%T, set %v: %v", s, set, err)
			}
			if got := f.store.Value("user", rotation.Current).Text("dbname"); got != "corrected" {
				t.Errorf("%T, set %v: the edit was undone: %q", s, set, got)
			}
		}
	}
}

// A login alone proves little: the session must be able to work.
func TestASessionThatCannotWorkFailsTheTest(t *testing.T) {
	for _, strategy := range []database.Strategy{database.SingleUser, database.AlternatingUsers} {
		f := newFixture(t, strategy)
		f.Sick = true
		if err := f.steps(t, rotation.Steps()...); class(err) != rotation.Unavailable {
			t.Errorf("got %v", err)
		}
		if got := f.store.Value("user", rotation.Current).Text("password"); got != "old-password" {
			t.Error("the label has moved")
		}
	}
}

func TestALockedAccountEndsTheStep(t *testing.T) {
	f := newFixture(t, database.SingleUser)
	f.Lock("app")
	if err := f.steps(t, rotation.CreateSecret, rotation.SetSecret); class(err) != rotation.AccountLocked || f.Connections() != 1 {
		t.Errorf("got %v after %d connections", err, f.Connections())
	}
}

func TestAllPasswordsRefusedNamesWhatWasTried(t *testing.T) {
	f := newFixture(t, database.SingleUser)
	f.store.Write("user", "vp", f.store.Value("user", rotation.Current).With("password", "older"))
	f.store.Stage("user", rotation.Previous, "vp")
	f.SetPassword("app", "changed-by-hand")
	err := f.steps(t, rotation.CreateSecret, rotation.SetSecret)
	for _, label := range []string{rotation.Current, rotation.Pending, rotation.Previous} {
		if class(err) != rotation.LoginRefused || !strings.Contains(err.Error(), label+` user "app"`) {
			t.Errorf("got %v, without %s", err, label)
		}
	}
}

func TestRightsFollowTheOriginal(t *testing.T) {
	f := newFixture(t, database.AlternatingUsers)
	rotate := func(version string) error {
		return rotationtest.Rotate(t.Context(), f.engine(t), &f.store, "user", version)
	}
	if err := rotate("v1"); err != nil {
		t.Fatal(err)
	}
	if err := rotate("v2"); err != nil { // to the original
		t.Fatal(err)
	}
	f.Grant("app", "new")
	f.Revoke("app", "write")
	if err := rotate("v3"); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(f.Rights("app_clone")); got != "[new read]" {
		t.Errorf("the clone has %s", got)
	}
}

func TestDrift(t *testing.T) {
	for _, grant := range []bool{false, true} {
		f := newFixture(t, database.AlternatingUsers)
		f.config.GrantDrift = grant
		if err := f.steps(t, rotation.Steps()...); err != nil {
			t.Fatal(err)
		}
		f.store.End("user")
		f.Grant("app_clone", "granted to the clone alone")
		err := rotationtest.Rotate(t.Context(), f.engine(t), &f.store, "user", "v2")
		if grant {
			if err != nil || !strings.Contains(fmt.Sprint(f.Rights("app")), "alone") {
				t.Errorf("got %v; the original has %q", err, f.Rights("app"))
			}
			continue
		}
		if class(err) != rotation.FewerRights {
			t.Fatalf("got %v", err)
		}
		for _, want := range []string{"granted to the clone alone", `Grant them to "app"`, `revoke them from "app_clone"`} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%v does not say %q", err, want)
			}
		}
		if current := f.store.Value("user", rotation.Current).Text("username"); current != "app_clone" {
			t.Errorf("the label moved to %s", current)
		}
	}
}

func TestPreflightFindsWhatWouldStopARotation(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*fixture)
		class  rotation.Class
	}{
		{"nothing", func(*fixture) {}, ""},
		{"wrong password", func(f *fixture) { f.edit("user", "v0", "password", "wrong") }, rotation.LoginRefused},
		{"wrong administrator", func(f *fixture) { f.edit("admin", "v0", "password", "wrong") }, rotation.LoginRefused},
		{"administrator without rights", func(f *fixture) { f.Add("root", "root-password", false) }, rotation.MissingPrivilege},
	} {
		for _, s := range []database.Strategy{database.SingleUserByAdministrator, database.AlternatingUsers} {
			for _, withValue := range []bool{false, true} { // either may be what Secrets Manager does
				f := newFixture(t, s)
				c.change(f)
				if withValue {
					f.store.Write("user", "v1", f.store.Value("user", rotation.Current))
				}
				if err := f.steps(t, rotation.TestSecret); class(err) != c.class {
					t.Errorf("%s, by %T, with a value %v: got %v", c.name, s, withValue, err)
				}
			}
		}
	}
}

// The trial weighs a password such as the next one, and a plan the one that is pending.
func TestARuleForPasswordsIsSeenBefore(t *testing.T) {
	for _, s := range []database.Strategy{database.SingleUser, database.SingleUserByAdministrator, database.AlternatingUsers} {
		m := &databasetest.Memory{}
		r := databasetest.NewRotations(t, m.Driver(), s, m.Fixture("app"))
		r.Must(t)
		m.Shortest = 64
		databasetest.Wants(t, r.Preflight(t), rotation.PasswordRejected)
		if _, err := r.Plan(t); err == nil || !strings.Contains(err.Error(), string(rotation.PasswordRejected)) {
			t.Errorf("there is a plan: %v", err)
		}
		databasetest.Wants(t, r.Rotate(t), rotation.PasswordRejected)
		pending := r.Store.Value("user", rotation.Pending).Text("password")
		if _, err := r.Plan(t); err == nil { // of that one
			t.Error("there is a plan")
		}
		for _, shown := range m.Shown() {
			if shown == pending || len(shown) != len(pending) {
				t.Errorf("%q is shown to the server's rules, and %q is pending", shown, pending)
			}
		}
		m.Shortest = 0
		r.Must(t)
	}
}

func TestATrialAsksForTheTurnThatFollowsIt(t *testing.T) {
	for _, c := range []struct {
		turn    string // of which user
		missing string // the call that would miss something
		class   rotation.Class
		noted   bool
	}{
		{"app_clone", "PreflightClone", rotation.MissingPrivilege, false},
		{"app_clone", "PreflightHandBack", "", false},
		{"app", "PreflightClone", "", true},
		{"app", "PreflightHandBack", rotation.MissingPrivilege, false},
	} {
		f := newFixture(t, database.AlternatingUsers)
		if c.turn == "app" {
			if err := f.turn(t, "v1"); err != nil {
				t.Fatal(err)
			}
		}
		f.config.Driver = databasetest.Intercept(f.config.Driver, func(_ context.Context, call string, effect func() error) error {
			if call == c.missing {
				return rotation.Fail(rotation.MissingPrivilege, "the administrator may not").With("Let it.")
			}
			return effect()
		})
		if err := f.turn(t, "trial", rotation.TestSecret); class(err) != c.class {
			t.Errorf("the turn of %s, %s: got %v", c.turn, c.missing, err)
		}
		if noted := strings.Contains(f.log.String(), "The rotation after the next one will fail") && strings.Contains(f.log.String(), "Let it."); noted != c.noted {
			t.Errorf("the turn of %s, %s: noted is %v\n%s", c.turn, c.missing, noted, f.log.String())
		}
	}
}

func TestLoginsNeverPrintThePassword(t *testing.T) {
	l := database.Login{Host: "h", Port: 1, User: "u", Password: "hunter2"}
	for _, s := range []string{fmt.Sprint(l), fmt.Sprintf("%v %+v %#v %s %q %d %x", l, l, l, l, l, l, l), fmt.Sprint(&l), fmt.Sprint([]database.Login{l})} {
		if strings.Contains(s, "hunter2") || !strings.Contains(s, `user "u" at h:1`) {
			t.Errorf("printed %s", s)
		}
	}
}

func TestConfigurationIsChecked(t *testing.T) {
	good := newFixture(t, database.SingleUser).config
	for name, change := range map[string]func(*database.Config){
		"no driver":        func(c *database.Config) { c.Driver = database.Driver{} },
		"no engines":       func(c *database.Config) { c.Driver.Engines = nil },
		"no port":          func(c *database.Config) { c.Driver.Port = 0 },
		"cannot connect":   func(c *database.Config) { c.Driver.Connect = nil },
		"checks no names":  func(c *database.Config) { c.Driver.CheckUser = nil },
		"quotes a secret":  func(c *database.Config) { c.Driver.Fields = []string{"authSource", "sentinelPassword"} },
		"half a cloning":   func(c *database.Config) { c.Driver.Cloning = &database.Cloning{Suffix: "_clone"} },
		"no suffix":        func(c *database.Config) { c.Driver.Cloning = &database.Cloning{Connect: c.Driver.Cloning.Connect} },
		"no strategy":      func(c *database.Config) { c.Strategy = nil },
		"no password":      func(c *database.Config) { c.Password = nil },
		"no roots":         func(c *database.Config) { c.Roots = nil },
		"cannot alternate": func(c *database.Config) { c.Strategy, c.Driver.Cloning = database.AlternatingUsers, nil },
	} {
		c := good
		change(&c)
		if _, err := database.New(c); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	for _, name := range []string{"", "alternating", "SINGLE-USER"} {
		if _, err := database.ParseStrategy(name); err == nil {
			t.Errorf("strategy %q was accepted", name)
		}
	}
}

func TestErrorsOfTheNetworkHaveTheirClass(t *testing.T) {
	for _, c := range []struct {
		err       error
		class     rotation.Class
		transient bool
	}{
		{fmt.Errorf("x: %w", database.ErrNoTLS), rotation.TLS, false},
		{fmt.Errorf("x: %w", x509.UnknownAuthorityError{}), rotation.TLS, false},
		{fmt.Errorf("x: %w", x509.CertificateInvalidError{Reason: x509.Expired}), rotation.TLS, false},
		{fmt.Errorf("x: %w", io.ErrUnexpectedEOF), rotation.Unreachable, true},
		{errors.New("x"), rotation.Unknown, false},
	} {
		f := newFixture(t, database.SingleUser)
		calls := 0
		f.config.Driver.Connect = func(context.Context, database.Login) (database.Conn, error) { calls++; return nil, c.err }
		if err := f.steps(t, rotation.CreateSecret, rotation.SetSecret); class(err) != c.class || (calls > 1) != c.transient {
			t.Errorf("%v: got %v after %d calls", c.err, err, calls)
		}
	}
}

// What AWS's functions make of a secret's fields.
func TestFieldsMayBeWrittenAsAWSTakesThem(t *testing.T) {
	for field, values := range map[string][]string{"port": {"1", " 1", "1.0"}, "host": {" h", "h "}} {
		for _, value := range values {
			f := newFixture(t, database.SingleUserByAdministrator)
			f.edit("user", "v0", field, value)
			if err := f.steps(t, rotation.Steps()...); err != nil {
				t.Errorf("%s %q: %v", field, value, err)
			}
		}
	}
}

func TestPlainTextOnlyWhereItWasAskedFor(t *testing.T) {
	for _, c := range []struct {
		ssl       string
		fallback  bool
		connected bool // in plain text
	}{
		{"", false, false},
		{"true", false, false},
		{"true", true, false},
		{"", true, true},
		{"false", false, true},
		{"TRUE", true, false},
		{" True", true, false},
		{"False", false, true},
		{"1", false, false},
		{"0", false, false},
		{"no", true, true},
	} {
		f := newFixture(t, database.SingleUser)
		f.config.Plaintext = c.fallback
		f.edit("user", "v0", "ssl", c.ssl)
		connect := f.config.Driver.Connect
		f.config.Driver.Connect = func(ctx context.Context, l database.Login) (database.Conn, error) {
			if l.TLS != nil {
				return nil, fmt.Errorf("dialling: %w", database.ErrNoTLS)
			}
			return connect(ctx, l)
		}
		err := f.steps(t, rotation.Steps()...)
		if c.connected != (err == nil) || err != nil && class(err) != rotation.TLS {
			t.Errorf("ssl %q, fallback %v: got %v", c.ssl, c.fallback, err)
		}
	}
}

func TestTheSuffixIsInsideTheQuotesOfAName(t *testing.T) {
	f := newFixture(t, database.AlternatingUsers)
	f.config.Driver.NameQuote = `"`
	r, err := database.New(f.config)
	if err != nil {
		t.Fatal(err)
	}
	for user, twin := range map[string]string{"app": "app_clone", "app_clone": "app", `"app"`: `"app_clone"`, `"a b_clone"`: `"a b"`, `"`: `"_clone`, `"_clone"`: `"_clone_clone"`} {
		if got := r.Twin(user); got != twin {
			t.Errorf("the other one of %s is %s, want %s", user, got, twin)
		}
	}
}
