package main_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
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

// theirs are the steps of AWS's function for alternating users of PostgreSQL, as its documentation has them: the other
// user is named by _clone, is a member of the first, and an administrator, whom masterarn names, sets its password.
// Source: Secrets Manager user guide, "Rotation strategy: alternating users", "Rotation function templates".
type theirs struct {
	d *desk
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
	db, err := f.d.database(ctx, admin)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close(context.WithoutCancel(ctx)) }()
	var there bool
	if err := db.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)`, user).Scan(&there); err != nil {
		return err
	}
	quoted, password := pgx.Identifier{user}.Sanitize(), `'`+strings.ReplaceAll(fmt.Sprint(pending["password"]), `'`, `''`)+`'`
	if there {
		_, err = db.Exec(ctx, `ALTER USER `+quoted+` WITH PASSWORD `+password)
		return err
	}
	if _, err = db.Exec(ctx, `CREATE ROLE `+quoted+` WITH LOGIN PASSWORD `+password); err != nil {
		return err
	}
	_, err = db.Exec(ctx, `GRANT `+pgx.Identifier{from}.Sanitize()+` TO `+quoted)
	return err
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

// A secret of AWS's function for alternating users goes to Rotor's and back. It was rotated by each, its application
// got in all the time, and it has the objects that it made under either name.
func TestAlternatingUsersGoToRotorAndBack(t *testing.T) {
	s := open(t, "eu-west-1")
	d := &desk{stage: s, e: s.engineWith(t, "postgres", "eu-west-1", map[string]string{"ROTATION_STRATEGY": "alternating-users"}),
		shell: newShell(t, map[string]*account{"default": newAccount(t, map[string]*region{"eu-west-1": s.region})})}
	if err := d.create(t.Context(), "administrator", d.e.server.Administrator, fleet.Unrotated); err != nil {
		t.Fatal(err)
	}
	admin, err := d.client.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String("administrator")})
	if err != nil {
		t.Fatal(err)
	}
	old := local.DeclareFunction(local.FunctionConfig{Name: "SecretsManagerRDSPostgreSQLRotationMultiUser", Region: "eu-west-1", Runtime: "python3.12",
		Description: "Conducts an AWS SecretsManager secret rotation for RDS PostgreSQL using multi user rotation scheme"})
	d.lambda.Add(old)
	s.steps = map[string]func(ctx context.Context, step, secret, token string) error{old.ARN(): theirs{d}.step}
	for name, turns := range map[string]int{"clone-current": 1, "original-current": 2, "clone-owns": 1} {
		t.Run(name, func(t *testing.T) {
			user, err := d.e.server.User(t.Context(), strings.ReplaceAll(name, "-", "_"))
			if err != nil {
				t.Fatal(err)
			}
			user["masterarn"] = aws.ToString(admin.ARN)
			d.name = name
			if err := d.create(t.Context(), name, user, fleet.ByAWS); err != nil {
				t.Fatal(err)
			}
			d.byTheirs(t, old.ARN(), turns)
			owns := name == "clone-owns"
			if owns {
				d.cloneOwns(t, old.ARN())
			}
			d.thereAndBack(t, old.ARN(), owns)
		})
	}
	t.Run("several", func(t *testing.T) { d.several(t, old.ARN(), aws.ToString(admin.ARN)) })
	for _, p := range d.passwords {
		if strings.Contains(d.all.String(), p) {
			t.Error("a password was written")
		}
	}
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
func (d *desk) thereAndBack(t *testing.T, function string, owns bool) {
	to, back := []string{"migrate", d.name, "--to", "rotor-postgres"}, filepath.Join(t.TempDir(), "back")
	d.wants(t, exitAct, []string{"--yes --back FILE"}, to...)
	if f := d.function(t); f != function {
		t.Errorf("without --yes %s is attached", f)
	}
	d.lives(t)
	next := twin(fmt.Sprint(d.value(t, "AWSCURRENT")["username"]))
	d.wants(t, exitWell, []string{"Sent would be", fmt.Sprintf("%q", next)}, append(to, "--back", back, "--yes")...)
	if f := d.function(t); f != d.e.function {
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

// cloneOwns has the application make something as the clone, which is then the clone's own. The trial says no, and what it
// says to do helps.
func (d *desk) cloneOwns(t *testing.T, function string) {
	t.Helper()
	made := d.value(t, "AWSCURRENT")
	if err := d.e.server.Create(t.Context(), made); err != nil {
		t.Fatal(err)
	}
	to := []string{"migrate", d.name, "--to", "rotor-postgres", "--back", filepath.Join(t.TempDir(), "back"), "--yes"}
	out, _, status := d.run(t, to...)
	remedy := reassign.FindStringSubmatch(out)
	if status != exitAct || remedy == nil || !strings.Contains(out, "is attached again") {
		t.Fatalf("status %d:\n%s", status, out)
	}
	if f := d.function(t); f != function {
		t.Errorf("after a trial that said no %s is attached", f)
	}
	d.lives(t)
	server := d.e.server
	admin, err := d.database(t.Context(), map[string]any{"host": server.Host, "port": server.Port, "username": server.AdminUser, "password": server.AdminPassword, "dbname": made["dbname"]})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = admin.Close(context.WithoutCancel(t.Context())) }()
	if _, err := admin.Exec(t.Context(), remedy[1]); err != nil {
		t.Fatalf("%s: %v", remedy[1], err)
	}
}

// reassign finds the statement in a remedy, to the end of the sentence.
var reassign = regexp.MustCompile(`handed over by (REASSIGN OWNED BY [^;]+);[^;]`)

// several migrates three secrets, of which the second has a wrong password: that one stays where it was, the others are
// migrated, and one file takes all back.
func (d *desk) several(t *testing.T, function, admin string) {
	names := []string{"several-a", "several-b", "several-c"}
	for _, name := range names {
		user, err := d.e.server.User(t.Context(), strings.ReplaceAll(name, "-", "_"))
		if err != nil {
			t.Fatal(err)
		}
		user["masterarn"] = admin
		d.name = name
		if err := d.create(t.Context(), name, user, fleet.ByAWS); err != nil {
			t.Fatal(err)
		}
		d.byTheirs(t, function, 1)
	}
	d.name = names[1]
	works := fmt.Sprint(d.value(t, "AWSCURRENT")["password"])
	d.edit(t, "password", "not-the-password")
	d.edit(t, "password", "nor-this-one")
	back := filepath.Join(t.TempDir(), "back")
	d.wants(t, exitAct, []string{"several-b: LoginRefused", "several-b: SecretsManagerRDSPostgreSQLRotationMultiUser is attached again"},
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
