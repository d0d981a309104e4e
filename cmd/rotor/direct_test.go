package main_test

import (
	"encoding/pem"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/seed492efc12/rotor/framework/serve"
	"github.com/seed492efc12/rotor/internal/fleet"
	"github.com/seed492efc12/rotor/local"
	"github.com/seed492efc12/rotor/local/localtls"
)

// What --direct answers is what the function answers, to the byte, and no call changes
// anything. The environment has what other programs heed.
func TestDirectAnswersAreTheFunctions(t *testing.T) {
	for _, name := range []string{"postgres", "mysql", "documentdb"} {
		t.Run(name, func(t *testing.T) {
			s := open(t, "eu-west-1")
			a := newAccount(t, map[string]*region{"eu-west-1": s.region})
			d := &desk{stage: s, e: s.engineOf(t, name, "eu-west-1"),
				shell: newShell(t, map[string]*account{"default": a}, "MONGODB_LOG_ALL=trace", "PGSERVICE=none", "PGPORT=none", "MSSQL_USE_EPA=none")}
			for _, scene := range []struct {
				name string
				run  func(*desk, *testing.T, *account)
			}{
				{"alone", (*desk).sameAlone},
				{"alternating", (*desk).sameAlternating},
				{"unattached", (*desk).unattached},
				{"another-engine", (*desk).anotherEngine},
				{"authorities", (*desk).authorities},
				{"denied", (*desk).denied},
				{"recovers", (*desk).recoversDirectly},
			} {
				t.Run(scene.name, func(t *testing.T) {
					d.secret(t, strings.ReplaceAll(scene.name, "-", "_"))
					scene.run(d, t, a)
				})
			}
			for _, p := range append(d.passwords, d.e.server.Administrator["password"].(string)) {
				if strings.Contains(d.all.String(), p) {
					t.Error("a password was written")
				}
			}
		})
	}
}

// same asks the function, and then from here, and wants one answer. It is returned.
func (d *desk) same(t *testing.T, a *account, status int, args ...string) string {
	t.Helper()
	d.value(t, "AWSCURRENT") // its password is looked for
	want, progress, got := d.run(t, args...)
	if got != status {
		t.Errorf("rotor %s: status %d, want %d\n%s%s", strings.Join(args, " "), got, status, want, progress)
	}
	a.counted()
	here, progress, got := d.run(t, append(args, "--direct")...)
	if here != strings.ReplaceAll(want, " --yes --", " --yes --direct --") || got != status {
		t.Errorf("rotor %s: got %d, %s, want %d, %s\n%s", strings.Join(args, " "), got, here, status, want, progress)
	}
	for call, n := range a.counted() {
		switch call {
		case "DescribeSecret", "GetSecretValue", "GetFunctionConfiguration":
		default:
			t.Errorf("rotor %s --direct calls %s, %d times", strings.Join(args, " "), call, n)
		}
	}
	if strings.Count(progress, "\n") > 1+strings.Count(progress, "so it is from here") {
		t.Errorf("rotor %s --direct says %s", strings.Join(args, " "), progress)
	}
	return here
}

func (d *desk) sameAlone(t *testing.T, a *account) {
	if plan := d.same(t, a, exitWell, "plan", d.name, "-o", "json"); !strings.Contains(plan, `"statements":[`) {
		t.Errorf("the plan is %s", plan)
	}
	d.same(t, a, exitWell, "recover", d.name)
	d.wants(t, exitWell, []string{"will succeed", "was not tried"}, "check", d.name, "--direct")
	d.edit(t, "password", "not-the-password")
	d.edit(t, "password", "nor-this-one")
	if plan := d.same(t, a, exitAct, "plan", d.name, "-o", "json"); !strings.Contains(plan, "Rotation.LoginRefused") {
		t.Errorf("the plan is %s", plan)
	}
	d.same(t, a, exitAct, "recover", d.name)
	d.edit(t, "port", "2")
	here := []string{"Unreachable", "databases are where only their functions get in"}
	d.wants(t, exitUnknown, here, "check", d.name, "--direct")
	d.wants(t, exitUnknown, here, "plan", d.name, "--direct")
	d.wants(t, exitUnknown, here, "recover", d.name, "--direct", "--yes")
}

func (d *desk) sameAlternating(t *testing.T, a *account) {
	f := d.start(t, d.e, "rotor-alternating-"+d.e.name, "eu-west-1", map[string]string{"ROTATION_STRATEGY": "alternating-users"})
	d.invoked.Add(f)
	d.lambda.Add(f)
	admin := "administrator-of-" + d.name
	if err := d.create(t.Context(), admin, d.e.server.Administrator, fleet.Unrotated); err != nil {
		t.Fatal(err)
	}
	d.edit(t, "masterarn", aws.ToString(d.described(t, admin).ARN))
	if err := d.rotate(t.Context(), d.name, f.ARN(), true); err != nil {
		t.Fatal(err)
	}
	for _, user := range []string{"alternating_clone", "alternating"} {
		if plan := d.same(t, a, exitWell, "plan", d.name, "-o", "json"); !strings.Contains(plan, `"user":"`+user+`"`) {
			t.Errorf("the plan is %s", plan)
		}
		if err := d.rotate(t.Context(), d.name, f.ARN(), false); err != nil {
			t.Fatal(err)
		}
	}
	d.same(t, a, exitWell, "recover", d.name)
	d.edit(t, "masterarn", "")
	if plan := d.same(t, a, exitAct, "plan", d.name, "-o", "json"); !strings.Contains(plan, "Rotation.BadSecret") {
		t.Errorf("the plan is %s", plan)
	}
}

func (d *desk) described(t *testing.T, name string) *secretsmanager.DescribeSecretOutput {
	t.Helper()
	out, err := d.client.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: &name})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A secret that no function rotates, or one of AWS's, is planned for by another
// function's settings.
func (d *desk) unattached(t *testing.T, a *account) {
	attached := d.name
	d.name += "-yet"
	if err := d.create(t.Context(), d.name, d.user, fleet.Unrotated); err != nil {
		t.Fatal(err)
	}
	d.edit(t, "password", d.valueOf(t, attached))
	ours := "rotor-" + d.e.name
	d.wants(t, exitUnknown, []string{"no function rotates it", "--no-rotate-immediately"}, "plan", d.name)
	d.wants(t, exitUnknown, []string{"no function rotates it", "--function FUNCTION", "docs/deploy.md"}, "plan", d.name, "--direct")
	d.wants(t, exitUnknown, []string{"reads only secrets that name it", "--direct", "--rotation-lambda-arn"}, "plan", d.name, "--function", ours)
	d.wants(t, exitUsage, []string{"--ca-bundle goes with --direct"}, "plan", d.name, "--ca-bundle", "x")
	d.wants(t, exitUnknown, []string{"none-such", "ResourceNotFound"}, "plan", d.name, "--direct", "--function", "none-such")
	here, _, status := d.run(t, "plan", d.name, "--direct", "--function", ours, "-o", "json")
	if !strings.Contains(here, `"statements":[`) || status != exitWell {
		t.Errorf("status %d, and the plan is %s", status, here)
	}

	theirs := local.DeclareFunction(local.FunctionConfig{Name: "SecretsManager" + d.e.name, Region: "eu-west-1", Runtime: "python3.12",
		Description: "Conducts an AWS SecretsManager secret rotation using single user rotation scheme"})
	d.invoked.Add(theirs)
	d.lambda.Add(theirs)
	if err := d.rotate(t.Context(), d.name, theirs.ARN(), true); err == nil {
		t.Fatal("a function that does not run has rotated")
	}
	d.wants(t, exitUnknown, []string{"not one of Rotor's", "--function"}, "check", d.name, "--direct")
	d.wants(t, exitUnknown, []string{"not one of Rotor's"}, "plan", d.name, "--direct", "--function", theirs.ARN())
	d.wants(t, exitUnknown, []string{"rotor migrate SECRET --to " + ours}, "plan", d.name, "--function", ours)
	if again, _, _ := d.run(t, "plan", d.name, "--direct", "--function", d.e.function, "-o", "json"); again != here {
		t.Errorf("by the ARN the plan is %s, and was %s", again, here)
	}
	if err := d.rotate(t.Context(), d.name, d.e.function, true); err != nil {
		t.Fatal(err)
	}
	if plan := d.same(t, a, exitWell, "plan", d.name, "--function", ours, "-o", "json"); plan != here {
		t.Errorf("once it is attached the plan is %s, and was %s", plan, here)
	}
}

// valueOf is the password of a secret.
func (d *desk) valueOf(t *testing.T, name string) string {
	t.Helper()
	mine := d.name
	defer func() { d.name = mine }()
	d.name = name
	return d.value(t, "AWSCURRENT")["password"].(string)
}

// A function has one engine, whatever this process has.
func (d *desk) anotherEngine(t *testing.T, a *account) {
	other := local.DeclareFunction(local.FunctionConfig{Name: "of-another-engine", Region: "eu-west-1",
		Description: "Rotor " + serve.Version + ": rotates secrets of Oracle.", Env: d.e.server.Env})
	silent := local.DeclareFunction(local.FunctionConfig{Name: "of-some-engine", Region: "eu-west-1", Description: "Ours.", Env: d.e.server.Env})
	older := local.DeclareFunction(local.FunctionConfig{Name: "of-an-older-version", Region: "eu-west-1",
		Description: "Rotor 0.1.0: rotates secrets of " + d.e.Title() + ".", Env: d.e.server.Env})
	for _, f := range []*local.Function{other, silent, older} {
		d.lambda.Add(f)
	}
	d.wants(t, exitAct, []string{"BadSecret", "this function rotates oracle"}, "plan", d.name, "--direct", "--function", "of-another-engine")
	d.wants(t, exitWell, []string{"Sent would be", "an unknown version"}, "plan", d.name, "--direct", "--function", "of-some-engine")
	d.wants(t, exitWell, []string{"Sent would be", "0.1.0", "may answer otherwise"}, "plan", d.name, "--direct", "--function", "of-an-older-version")
	d.edit(t, "engine", "db2")
	if plan := d.same(t, a, exitAct, "plan", d.name, "-o", "json"); !strings.Contains(plan, `is for the engine \"db2\"`) {
		t.Errorf("the plan is %s", plan)
	}
	d.wants(t, exitUnknown, []string{`is for the engine "db2"`, "Rotor rotates", "redshift"}, "plan", d.name, "--direct", "--function", "of-some-engine")
}

func (d *desk) authorities(t *testing.T, _ *account) {
	stranger, err := localtls.New()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	wrong, none := filepath.Join(folder, "wrong.pem"), filepath.Join(folder, "none.pem")
	for file, text := range map[string][]byte{wrong: stranger.PEM(), none: []byte("nonsense")} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, bundle := range map[string]string{"by-path": d.e.server.CAFile, "by-nobody": "", "badly-set": "-----BEGIN nonsense"} {
		env := maps.Clone(d.e.server.Env)
		env["CA_BUNDLE"] = bundle
		d.lambda.Add(local.DeclareFunction(local.FunctionConfig{Name: name, Region: "eu-west-1", Description: "Rotor " + serve.Version + ": rotates secrets of " + d.e.Title() + ".", Env: env}))
	}
	from := func(function string, more ...string) []string {
		return append([]string{"plan", d.name, "--direct", "--function", function}, more...)
	}
	d.wants(t, exitUnknown, []string{"a file in the function's package", "--ca-bundle FILE"}, from("by-path")...)
	d.wants(t, exitWell, []string{"Sent would be"}, from("by-path", "--ca-bundle", d.e.server.CAFile)...)
	d.wants(t, exitAct, []string{"TLS: ", "--ca-bundle FILE takes the place"}, from("by-nobody")...)
	d.wants(t, exitWell, []string{"Sent would be"}, from("by-nobody", "--ca-bundle", d.e.server.CAFile)...)
	d.wants(t, exitUnknown, []string{"TLS: ", "--ca-bundle FILE takes the place"}, from("rotor-"+d.e.name, "--ca-bundle", wrong)...)
	d.wants(t, exitUnknown, []string{"no certificate in PEM form"}, from("by-nobody", "--ca-bundle", none)...)
	d.wants(t, exitUnknown, []string{"--ca-bundle: open"}, from("by-nobody", "--ca-bundle", filepath.Join(folder, "missing"))...)
	d.wants(t, exitUnknown, []string{"the settings of badly-set", "CA_BUNDLE"}, from("badly-set")...)
}

// What may not be read from here says nothing of the rotation, and names the permission.
func (d *desk) denied(t *testing.T, a *account) {
	for _, c := range []struct{ operation, code, message, permission string }{
		{"GetSecretValue", "AccessDeniedException", "User: me is not authorized to perform: secretsmanager:GetSecretValue on resource: it", "secretsmanager:GetSecretValue"},
		{"GetSecretValue", "AccessDeniedException", "no", "secretsmanager:GetSecretValue"},
		{"GetSecretValue", "AccessDeniedException", "Access to KMS is not allowed", "kms:Decrypt"},
		{"GetFunctionConfiguration", "AccessDeniedException", "no", "lambda:GetFunctionConfiguration"},
		{"DescribeSecret", "AccessDeniedException", "no", "secretsmanager:DescribeSecret"},
	} {
		t.Run(c.permission, func(t *testing.T) {
			a.spoiling(t, func(operation string, _ int) (string, string) {
				if operation == c.operation {
					return c.code, c.message
				}
				return "", ""
			})
			for _, command := range []string{"check", "plan", "recover"} {
				d.wants(t, exitUnknown, []string{"Your credentials lack the permission " + c.permission}, command, d.name, "--direct")
			}
		})
	}
}

func (d *desk) recoversDirectly(t *testing.T, a *account) {
	d.unfinish(t)
	d.same(t, a, exitAct, "recover", d.name)
	d.edit(t, "note", "of somebody")
	d.wants(t, exitAct, []string{"The safe step: ", "--yes --direct --ca-bundle"}, "recover", d.name, "--direct", "--ca-bundle", d.e.server.CAFile)
	d.wants(t, exitWell, []string{"Done"}, "recover", d.name, "--direct", "--yes")
	d.lives(t)
	d.wants(t, exitWell, []string{"no rotation is under way"}, "recover", d.name, "--direct")
	if d.value(t, "AWSCURRENT")["note"] != "of somebody" {
		t.Error("the edit is lost")
	}
}

// Go's client for HTTP/2 prints what it gets if it is told to.
func TestDirectIsSilentOverHTTP2(t *testing.T) {
	s := open(t, "eu-west-1")
	a := newAccount(t, map[string]*region{"eu-west-1": s.region})
	front := httptest.NewUnstartedServer(a)
	front.EnableHTTP2 = true
	front.StartTLS()
	t.Cleanup(front.Close)
	a.url = front.URL
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(bundle, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	d := &desk{stage: s, name: "app", shell: newShell(t, map[string]*account{"default": a}, "AWS_CA_BUNDLE="+bundle, "GODEBUG=http2debug=2")}
	f := local.DeclareFunction(local.FunctionConfig{Name: "rotor-postgres", Region: "eu-west-1", Description: "Rotor " + serve.Version + ": rotates secrets of PostgreSQL."})
	d.lambda.Add(f)
	if err := d.create(t.Context(), "app", map[string]any{"engine": "postgres", "host": "127.0.0.1", "port": 2, "username": "app", "password": "not-to-be-seen"}, fleet.Unrotated); err != nil {
		t.Fatal(err)
	}
	d.wants(t, exitUnknown, []string{"Unreachable"}, "plan", "app", "--direct", "--function", "rotor-postgres")
	if strings.Contains(d.all.String(), "not-to-be-seen") {
		t.Error("a password was written")
	}
}
