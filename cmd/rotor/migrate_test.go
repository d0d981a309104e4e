package main_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/jackc/pgx/v5"

	"github.com/seed492efc12/rotor/internal/fleet"
	"github.com/seed492efc12/rotor/local"
)

// theirs are the steps of AWS's function for alternating users, as its documentation has them: the other user is named by
// _clone, and an administrator, whom masterarn names, makes it and sets its password.
// Source: Secrets Manager user guide, "Rotation strategy: alternating users", "Rotation function templates".
type theirs struct {
	d *desk
	// give gives one user, who may not be there, the password, and what the other has, as the administrator.
	give func(ctx context.Context, admin map[string]any, user, from, password string) error
}

func (f theirs) step(ctx context.Context, step, secret, token string) error {
	switch step {
	case "createSecret":
		return f.create(ctx, secret, token)
	case "setSecret":
		return f.set(ctx, secret)
	case "testSecret":
		pending, err := f.fields(ctx, secret, "AWSPENDING")
		return errors.Join(err, f.d.e.server.Login(ctx, pending))
	}
	was, err := f.d.version(ctx, secret, "AWSCURRENT")
	if err != nil {
		return err
	}
	_, err = f.d.client.UpdateSecretVersionStage(ctx, &secretsmanager.UpdateSecretVersionStageInput{SecretId: &secret,
		VersionStage: aws.String("AWSCURRENT"), MoveToVersionId: &token, RemoveFromVersionId: &was})
	return err
}

func (f theirs) fields(ctx context.Context, secret, label string) (fields map[string]any, err error) {
	out, err := f.d.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &secret, VersionStage: &label})
	if err != nil {
		return nil, err
	}
	return fields, json.Unmarshal([]byte(aws.ToString(out.SecretString)), &fields)
}

func (f theirs) create(ctx context.Context, secret, token string) error {
	fields, err := f.fields(ctx, secret, "AWSCURRENT")
	if err != nil {
		return err
	}
	random, err := f.d.client.GetRandomPassword(ctx, &secretsmanager.GetRandomPasswordInput{ExcludeCharacters: aws.String(`:/@"'\`)})
	if err != nil {
		return err
	}
	fields["username"], fields["password"] = twin(fmt.Sprint(fields["username"])), *random.RandomPassword
	value, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	_, err = f.d.client.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: &secret, ClientRequestToken: &token,
		SecretString: aws.String(string(value)), VersionStages: []string{"AWSPENDING"}})
	return err
}

func twin(user string) string {
	if original, is := strings.CutSuffix(user, "_clone"); is {
		return original
	}
	return user + "_clone"
}

// set goes on only if AWSCURRENT logs in, and its user is the other one of the pair.
func (f theirs) set(ctx context.Context, secret string) error {
	pending, err := f.fields(ctx, secret, "AWSPENDING")
	if err != nil || f.d.e.server.Login(ctx, pending) == nil {
		return err
	}
	current, err := f.fields(ctx, secret, "AWSCURRENT")
	if err != nil {
		return err
	}
	user, from := fmt.Sprint(pending["username"]), fmt.Sprint(current["username"])
	if user != twin(from) {
		return fmt.Errorf("%s is not the other user of %s", user, from)
	}
	if err := f.d.e.server.Login(ctx, current); err != nil {
		return err
	}
	admin, err := f.fields(ctx, fmt.Sprint(current["masterarn"]), "AWSCURRENT")
	if err != nil {
		return err
	}
	return f.give(ctx, admin, user, from, fmt.Sprint(pending["password"]))
}

// database connects as a secret's user.
func (d *desk) database(ctx context.Context, secret map[string]any) (*pgx.Conn, error) {
	c, err := pgx.ParseConfig("")
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(d.e.server.CA)
	c.Host, c.User, c.Password = fmt.Sprint(secret["host"]), fmt.Sprint(secret["username"]), fmt.Sprint(secret["password"])
	c.Database = "postgres"
	if name, ok := secret["dbname"].(string); ok {
		c.Database = name
	}
	port, err := net.LookupPort("tcp", fmt.Sprint(secret["port"]))
	if err != nil {
		return nil, err
	}
	c.Port, c.Fallbacks, c.TLSConfig = uint16(port), nil, &tls.Config{RootCAs: roots, ServerName: c.Host}
	return pgx.ConnectConfig(ctx, c)
}

// member makes the user a member of the other one, as on PostgreSQL.
func (d *desk) member(ctx context.Context, admin map[string]any, user, from, password string) error {
	db, err := d.database(ctx, admin)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close(context.WithoutCancel(ctx)) }()
	var there bool
	if err := db.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)`, user).Scan(&there); err != nil {
		return err
	}
	quoted, text := pgx.Identifier{user}.Sanitize(), `'`+strings.ReplaceAll(password, `'`, `''`)+`'`
	if there {
		_, err = db.Exec(ctx, `ALTER USER `+quoted+` WITH PASSWORD `+text)
		return err
	}
	if _, err = db.Exec(ctx, `CREATE ROLE `+quoted+` WITH LOGIN PASSWORD `+text); err != nil {
		return err
	}
	_, err = db.Exec(ctx, `GRANT `+pgx.Identifier{from}.Sanitize()+` TO `+quoted)
	return err
}

// A migration is from AWS's function on a product to Rotor's.
type migration struct {
	product string
	give    func(*desk) func(ctx context.Context, admin map[string]any, user, from, password string) error
	scenes  map[string]func(d *desk, t *testing.T, function string)
}

var migrations = []migration{
	{"postgres", func(d *desk) func(context.Context, map[string]any, string, string, string) error { return d.member },
		map[string]func(*desk, *testing.T, string){"clone-current": (*desk).cloneCurrent, "original-current": (*desk).originalCurrent, "clone-owns": (*desk).cloneOwns, "several": (*desk).several, "unasked": (*desk).unasked, "unread": (*desk).unread}},
	{"mysql", func(d *desk) func(context.Context, map[string]any, string, string, string) error {
		return d.copiedGrants
	},
		map[string]func(*desk, *testing.T, string){"clone-current": (*desk).cloneCurrent, "original-current": (*desk).originalCurrent, "revoked-since": (*desk).revokedSince}},
	{"mariadb", func(d *desk) func(context.Context, map[string]any, string, string, string) error {
		return d.copiedGrants
	},
		map[string]func(*desk, *testing.T, string){"clone-current": (*desk).cloneCurrent, "original-current": (*desk).originalCurrent, "revoked-since": (*desk).revokedSince}},
	{"mongo", func(d *desk) func(context.Context, map[string]any, string, string, string) error {
		return d.copiedRoles
	},
		map[string]func(*desk, *testing.T, string){"clone-current": (*desk).cloneCurrent, "original-current": (*desk).originalCurrent, "revoked-since": (*desk).revokedSince}},
}

// alternating are the settings of the function that secrets are migrated to.
var alternating = map[string]string{"ROTATION_STRATEGY": "alternating-users"}

// A secret of AWS's function for alternating users goes to Rotor's and back. It was rotated by each, its application
// got in all the time, and it has the objects that it made under either name.
func TestAlternatingUsersGoToRotorAndBack(t *testing.T) {
	for _, m := range migrations {
		t.Run(m.product, func(t *testing.T) {
			s := open(t, "eu-west-1")
			a := newAccount(t, map[string]*region{"eu-west-1": s.region})
			d := &desk{stage: s, account: a, e: s.engineWith(t, m.product, "eu-west-1", alternating), shell: newShell(t, map[string]*account{"default": a})}
			if err := d.create(t.Context(), "administrator", d.master(), fleet.Unrotated); err != nil {
				t.Fatal(err)
			}
			admin, err := d.client.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String("administrator")})
			if err != nil {
				t.Fatal(err)
			}
			old := local.DeclareFunction(local.FunctionConfig{Name: "SecretsManagerRotationMultiUser", Region: "eu-west-1", Runtime: "python3.12",
				Description: "Conducts an AWS SecretsManager secret rotation using multi user rotation scheme",
				Env:         map[string]string{"EXCLUDE_CHARACTERS": `:/@"'\%`, "PASSWORD_LENGTH": "40", "EXCLUDE_PUNCTUATION": "True"}})
			d.lambda.Add(old)
			s.steps = map[string]func(ctx context.Context, step, secret, token string) error{old.ARN(): theirs{d, m.give(d)}.step}
			d.admin = aws.ToString(admin.ARN)
			for name, run := range m.scenes {
				t.Run(name, func(t *testing.T) {
					d.newcomer(t, name)
					run(d, t, old.ARN())
				})
			}
			for _, p := range d.passwords {
				if strings.Contains(d.all.String(), p) {
					t.Error("a password was written")
				}
			}
		})
	}
}

// master is the secret of an administrator whom AWS's function can work with. On MySQL it says GRANT USAGE ON *.*, which
// takes the grant option for everything.
func (d *desk) master() map[string]any {
	secret := maps.Clone(d.e.server.Administrator)
	if d.e.Name == "mysql" {
		secret["username"], secret["password"] = d.e.server.AdminUser, d.e.server.AdminPassword
	}
	return secret
}

// newcomer makes a user and its secret, which names the administrator's.
func (d *desk) newcomer(t *testing.T, name string) {
	t.Helper()
	user, err := d.e.server.User(t.Context(), strings.ReplaceAll(name, "-", "_"))
	if err != nil {
		t.Fatal(err)
	}
	user["masterarn"] = d.admin
	d.name = name
	if err := d.create(t.Context(), name, user, fleet.ByAWS); err != nil {
		t.Fatal(err)
	}
}

func (d *desk) cloneCurrent(t *testing.T, function string) {
	d.byTheirs(t, function, 1)
	d.thereAndBack(t, function, d.e.function, false)
}

func (d *desk) originalCurrent(t *testing.T, function string) {
	d.byTheirs(t, function, 2)
	d.thereAndBack(t, function, d.e.function, false)
}

// revokedSince takes a right from the original while the clone is in use. The trial says no, and the setting that it names
// helps.
func (d *desk) revokedSince(t *testing.T, function string) {
	d.byTheirs(t, function, 1)
	if err := d.revoke(t.Context(), twin(fmt.Sprint(d.value(t, "AWSCURRENT")["username"]))); err != nil {
		t.Fatal(err)
	}
	out := d.refused(t, function)
	setting := drift.FindStringSubmatch(out)
	if setting == nil || !strings.Contains(out, "FewerRights") {
		t.Fatalf("it says:\n%s", out)
	}
	settings := map[string]string{setting[1]: setting[2]}
	maps.Copy(settings, alternating)
	f := d.start(t, d.e, "rotor-drift", "eu-west-1", settings)
	d.invoked.Add(f)
	d.lambda.Add(f)
	d.thereAndBack(t, function, f.ARN(), false)
}

// drift finds the setting in a remedy.
var drift = regexp.MustCompile(`(CLONE_DRIFT)=([a-z]+)`)

// refused migrates, which the trial refuses: the old function stays, and the application gets in.
func (d *desk) refused(t *testing.T, function string) (out string) {
	t.Helper()
	out, _, status := d.run(t, "migrate", d.name, "--to", "rotor-"+d.e.name, "--back", filepath.Join(t.TempDir(), "back"), "--yes")
	if status != exitAct || !strings.Contains(out, "is attached again") {
		t.Fatalf("status %d:\n%s", status, out)
	}
	if f := d.function(t); f != function {
		t.Errorf("after a trial that said no %s is attached", f)
	}
	d.lives(t)
	return out
}

// byTheirs has AWS's function rotate so often. The application gets in after each.
func (d *desk) byTheirs(t *testing.T, function string, times int) {
	t.Helper()
	for range times {
		was := d.value(t, "AWSCURRENT")["username"]
		if err := d.rotate(t.Context(), d.name, function, false); err != nil {
			t.Fatal(err)
		}
		if is := d.value(t, "AWSCURRENT")["username"]; is == was {
			t.Fatalf("after AWS's function the user is still %s", is)
		}
		d.lives(t)
	}
}

// thereAndBack migrates, rotates, goes back, and has AWS's function go on. The application has made something before if it
// owns it.
func (d *desk) thereAndBack(t *testing.T, function, ours string, owns bool) {
	t.Helper()
	to, back := []string{"migrate", d.name, "--to", ours}, filepath.Join(t.TempDir(), "back")
	defer d.inUse(t)()
	d.wants(t, exitAct, []string{"--yes --back FILE", `ExcludeCharacters=":/@\"'\\%"`, `PasswordLength="40"`, `ExcludePunctuation="True"`}, to...)
	if f := d.function(t); f != function {
		t.Errorf("without --yes %s is attached", f)
	}
	d.lives(t)
	next := twin(fmt.Sprint(d.value(t, "AWSCURRENT")["username"]))
	d.wants(t, exitWell, []string{"Sent would be", fmt.Sprintf("%q", next)}, append(to, "--back", back, "--yes")...)
	if f := d.function(t); f != ours {
		t.Fatalf("%s is attached", f)
	}
	d.lives(t)
	for range 3 {
		was := fmt.Sprint(d.value(t, "AWSCURRENT")["username"])
		d.wants(t, exitWell, []string{"rotated in"}, "rotate", d.name)
		if is := d.value(t, "AWSCURRENT")["username"]; is != twin(was) {
			t.Errorf("after %s the user is %s", was, is)
		}
		d.lives(t)
	}
	d.wants(t, exitWell, []string{"rotates it again"}, "migrate", "--undo", back)
	if f := d.function(t); f != function {
		t.Errorf("after the way back %s is attached", f)
	}
	d.lives(t)
	if !owns {
		if err := d.e.server.Create(t.Context(), d.value(t, "AWSCURRENT")); err != nil {
			t.Fatal(err)
		}
	}
	d.byTheirs(t, function, 1)
	if err := d.e.server.Use(t.Context(), d.value(t, "AWSCURRENT")); err != nil {
		t.Errorf("what it made under its other name is beyond it: %v", err)
	}
	d.byTheirs(t, function, 1)
}

// inUse has the application log in with AWSCURRENT, again and again, until stop. Each login must go well, unless the version
// that it read was not current any more.
func (d *desk) inUse(t *testing.T) (stop func()) {
	done, ended, name, logins := make(chan struct{}), make(chan struct{}), d.name, 0
	ctx := context.WithoutCancel(t.Context())
	go func() {
		defer close(ended)
		for {
			select {
			case <-done:
				return
			default:
			}
			value, err := theirs{d: d}.fields(ctx, name, "AWSCURRENT")
			if err == nil {
				err = d.e.server.Login(ctx, value)
			}
			now, again := theirs{d: d}.fields(ctx, name, "AWSCURRENT")
			if err != nil && (again != nil || now["password"] == value["password"]) {
				t.Errorf("the application is locked out: %v", err)
				return
			}
			logins++
		}
	}()
	return func() {
		close(done)
		<-ended
		t.Logf("the application logged in %d times", logins)
		if logins == 0 && !t.Failed() {
			t.Error("the application was not seen to log in")
		}
	}
}

// unasked migrates with nobody allowed to ask the new function: the old one is attached again.
func (d *desk) unasked(t *testing.T, function string) {
	d.byTheirs(t, function, 1)
	d.account.spoiling(t, func(operation string, _ int) (string, string) {
		if operation == "Invoke" {
			return "AccessDeniedException", ""
		}
		return "", ""
	})
	back := filepath.Join(t.TempDir(), "back")
	d.wants(t, exitUnknown, []string{"is attached again", "lambda:InvokeFunction"}, "migrate", d.name, "--to", "rotor-"+d.e.name, "--back", back, "--yes")
	d.attached(t, []string{d.name}, []string{function})
	d.lives(t)
}

// unread migrates three secrets, of which the second's function cannot be read: the first is migrated, and the command ends
// there.
func (d *desk) unread(t *testing.T, function string) {
	gone := local.DeclareFunction(local.FunctionConfig{Name: "SecretsManagerGone", Region: "eu-west-1", Runtime: "python3.12"})
	d.steps[gone.ARN()] = d.steps[function]
	names := []string{"unread-a", "unread-b", "unread-c"}
	was := []string{function, gone.ARN(), function}
	for i, name := range names {
		d.newcomer(t, name)
		d.byTheirs(t, was[i], 1)
	}
	back := filepath.Join(t.TempDir(), "back")
	to := append([]string{"migrate", "--to", "rotor-" + d.e.name, "--back", back, "--yes"}, names...)
	d.wants(t, exitUnknown, []string{"unread-b: ", "ResourceNotFound"}, to...)
	d.attached(t, names, []string{d.e.function, was[1], function})
	d.wants(t, exitWell, []string{"rotates it again"}, "migrate", "--undo", back)
	d.attached(t, names, was)
	for _, d.name = range names {
		d.lives(t)
	}
}

// cloneOwns has the application make something as the clone, which is then the clone's own. The trial says no, and what it
// says to do helps.
func (d *desk) cloneOwns(t *testing.T, function string) {
	t.Helper()
	d.byTheirs(t, function, 1)
	made := d.value(t, "AWSCURRENT")
	if err := d.e.server.Create(t.Context(), made); err != nil {
		t.Fatal(err)
	}
	out := d.refused(t, function)
	remedy := reassign.FindStringSubmatch(out)
	if remedy == nil {
		t.Fatalf("it says:\n%s", out)
	}
	server := d.e.server
	admin, err := d.database(t.Context(), map[string]any{"host": server.Host, "port": server.Port, "username": server.AdminUser, "password": server.AdminPassword, "dbname": made["dbname"]})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = admin.Close(context.WithoutCancel(t.Context())) }()
	if _, err := admin.Exec(t.Context(), remedy[1]); err != nil {
		t.Fatalf("%s: %v", remedy[1], err)
	}
	d.thereAndBack(t, function, d.e.function, true)
}

// reassign finds the statement in a remedy, to the end of the sentence.
var reassign = regexp.MustCompile(`handed over by (REASSIGN OWNED BY [^;]+);[^;]`)

// several migrates three secrets, of which the second has a wrong password: that one stays where it was, the others are
// migrated, and one file takes all back.
func (d *desk) several(t *testing.T, function string) {
	names := []string{"several-a", "several-b", "several-c"}
	for _, name := range names {
		d.newcomer(t, name)
		d.byTheirs(t, function, 1)
	}
	d.name = names[1]
	works := fmt.Sprint(d.value(t, "AWSCURRENT")["password"])
	d.edit(t, "password", "not-the-password")
	d.edit(t, "password", "nor-this-one")
	back := filepath.Join(t.TempDir(), "back")
	d.wants(t, exitAct, []string{"several-b: LoginRefused", "several-b: SecretsManagerRotationMultiUser is attached again"},
		append([]string{"migrate", "--to", "rotor-postgres", "--back", back, "--yes"}, names...)...)
	d.attached(t, names, []string{d.e.function, function, d.e.function})
	d.wants(t, exitUsage, []string{"3 secrets: --yes does it"}, "migrate", "--undo", back)
	d.attached(t, names, []string{d.e.function, function, d.e.function})
	d.wants(t, exitWell, []string{"rotates it again"}, "migrate", "--undo", back, "--yes")
	d.attached(t, names, []string{function, function, function})
	d.name = names[1]
	d.edit(t, "password", works)
	for _, d.name = range names {
		d.lives(t)
	}
}

func (d *desk) attached(t *testing.T, names, functions []string) {
	t.Helper()
	for i, name := range names {
		d.name = name
		if is := d.function(t); is != functions[i] {
			t.Errorf("%s: %s is attached, not %s", name, is, functions[i])
		}
	}
}
