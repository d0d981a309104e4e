package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/seed492efc12/rotor/internal/fleet"
	"github.com/seed492efc12/rotor/local"
)

// The exit statuses, as --help has them.
const exitWell, exitUnknown, exitAct, exitUsage = 0, 1, 2, 64

// A desk is somebody with rotor before one secret of a real server's user.
type desk struct {
	*stage
	*shell
	account *account
	e       engine
	name    string
	user    map[string]any

	folder   string            // where the commands of documents are run
	versions map[string]string // what documents call versions
	address  string            // of the server

	admin string // the ARN of the administrator's secret, where there is one
}

// secret makes a user and its secret, and has the function rotate it once.
func (d *desk) secret(t *testing.T, name string) {
	t.Helper()
	var err error
	if d.user, err = d.e.server.User(t.Context(), strings.ReplaceAll(name, "-", "_")); err != nil {
		t.Fatal(err)
	}
	d.name = name
	if err := d.create(t.Context(), name, d.user, fleet.OK); err != nil {
		t.Fatal(err)
	}
	if err := rotated(t.Context(), d.stage, name, d.e.function); err != nil {
		t.Fatal(err)
	}
}

// value is what a label's version holds.
func (d *desk) value(t *testing.T, label string) (fields map[string]any) {
	t.Helper()
	out, err := d.client.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &d.name, VersionStage: &label})
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(aws.ToString(out.SecretString)), &fields); err != nil {
		t.Fatal(err)
	}
	d.passwords = append(d.passwords, fmt.Sprint(fields["password"]))
	return fields
}

// label moves a label.
func (d *desk) label(t *testing.T, label, to, from string) {
	t.Helper()
	in := &secretsmanager.UpdateSecretVersionStageInput{SecretId: &d.name, VersionStage: &label, MoveToVersionId: &to}
	if from != "" {
		in.RemoveFromVersionId = &from
	}
	if _, err := d.client.UpdateSecretVersionStage(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}

// unfinish puts the labels as if finishSecret of the last rotation had not run.
func (d *desk) unfinish(t *testing.T) {
	t.Helper()
	is, err := d.version(t.Context(), d.name, "AWSCURRENT")
	if err != nil {
		t.Fatal(err)
	}
	was, err := d.version(t.Context(), d.name, "AWSPREVIOUS")
	if err != nil {
		t.Fatal(err)
	}
	d.label(t, "AWSCURRENT", was, is)
	if now, err := d.version(t.Context(), d.name, "AWSPENDING"); err != nil {
		d.label(t, "AWSPENDING", is, "")
	} else if now != is {
		d.label(t, "AWSPENDING", is, now)
	}
}

// edit writes AWSCURRENT anew, with a field changed.
func (d *desk) edit(t *testing.T, field, text string) {
	t.Helper()
	fields := d.value(t, "AWSCURRENT")
	fields[field] = text
	value, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.client.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: &d.name, SecretString: aws.String(string(value))}); err != nil {
		t.Fatal(err)
	}
}

// wants runs rotor, and wants its exit status and texts in what it wrote.
func (d *desk) wants(t *testing.T, status int, says []string, args ...string) {
	t.Helper()
	out, err, got := d.run(t, args...)
	if got != status {
		t.Errorf("rotor %s: status %d, want %d\n%s%s", strings.Join(args, " "), got, status, out, err)
	}
	for _, s := range says {
		if !strings.Contains(out+err, s) {
			t.Errorf("rotor %s does not say %q:\n%s%s", strings.Join(args, " "), s, out, err)
		}
	}
}

// lives wants AWSCURRENT to log in.
func (d *desk) lives(t *testing.T) {
	t.Helper()
	if err := d.e.server.Login(t.Context(), d.value(t, "AWSCURRENT")); err != nil {
		t.Errorf("AWSCURRENT does not log in: %v", err)
	}
}

// What each command does to a secret of a real server.
func TestCommandsOnRealServers(t *testing.T) {
	for _, name := range []string{"postgres", "mysql"} {
		t.Run(name, func(t *testing.T) {
			s := open(t, "eu-west-1")
			a := newAccount(t, map[string]*region{"eu-west-1": s.region})
			d := &desk{stage: s, account: a, e: s.engineOf(t, name, "eu-west-1"), shell: newShell(t, map[string]*account{"default": a})}
			for _, scene := range []struct {
				name string
				run  func(*desk, *testing.T)
			}{
				{"looks-first", (*desk).looksFirst},
				{"rotates", (*desk).rotates},
				{"may-not-finish", (*desk).mayNotFinish},
				{"finishes", (*desk).finishes},
				{"merges", (*desk).merges},
				{"goes-back", (*desk).goesBack},
				{"cannot-tell", (*desk).cannotTell},
				{"finds-a-pending", (*desk).findsPending},
				{"has-a-trial-left", (*desk).hasATrialLeft},
				{"is-off", (*desk).isOff},
				{"is-nowhere", (*desk).isNowhere},
				{"migrates", (*desk).migrates},
			} {
				t.Run(scene.name, func(t *testing.T) {
					d.secret(t, scene.name)
					scene.run(d, t)
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

func (d *desk) looksFirst(t *testing.T) {
	before := d.value(t, "AWSCURRENT")
	d.wants(t, exitWell, []string{"will succeed"}, "check", d.name)
	d.wants(t, exitWell, []string{"Sent would be", "<new password>", `"looks_first"`}, "plan", d.name)
	d.wants(t, exitWell, []string{`"rotor":"plan"`, `"statements":[`}, "plan", d.name, "-o", "json")
	d.wants(t, exitWell, []string{"AWSCURRENT", "works", "no rotation is under way"}, "recover", d.name)
	d.wants(t, exitUnknown, []string{"none"}, "check", "none")
	d.wants(t, exitUsage, []string{"takes other arguments: rotor check SECRET...", "rotor check --help"}, "check")
	if after := d.value(t, "AWSCURRENT"); after["password"] != before["password"] {
		t.Error("the secret has changed")
	}
	d.lives(t)
	d.edit(t, "password", "not-the-password")
	d.wants(t, exitWell, []string{"AWSPREVIOUS", "who reads the secret now cannot log in"}, "check", d.name)
	d.edit(t, "password", "nor-this-one")
	d.wants(t, exitAct, []string{"LoginRefused", "What to do"}, "plan", d.name, "--region", "eu-west-1")
}

func (d *desk) rotates(t *testing.T) {
	before := d.value(t, "AWSCURRENT")
	d.wants(t, exitWell, []string{"rotated in"}, "rotate", d.name, "--wait", "1m")
	if after := d.value(t, "AWSCURRENT"); after["password"] == before["password"] {
		t.Error("the password is the same")
	}
	d.lives(t)
	d.wants(t, exitUsage, []string{"--yes", "rotates", "looks-first"}, "rotate", "*ot*", "look*")
	d.edit(t, "password", "not-the-password")
	d.edit(t, "password", "nor-this-one")
	d.wants(t, exitAct, []string{"LoginRefused"}, "rotate", d.name, "--wait", "5s")
}

// Whoever may not do the step is told which permission that takes, and nothing has changed.
func (d *desk) mayNotFinish(t *testing.T) {
	d.unfinish(t)
	step := "UpdateSecretVersionStage"
	if d.e.server.Overlap {
		step = "RotateSecret"
	}
	before, err := d.version(t.Context(), d.name, "AWSCURRENT")
	if err != nil {
		t.Fatal(err)
	}
	d.account.spoiling(t, func(operation string, _ int) (code, message string) {
		if operation == step {
			return "AccessDeniedException", ""
		}
		return "", ""
	})
	d.wants(t, exitUnknown, []string{"lack the permission secretsmanager:" + step + "\n"}, "recover", d.name, "--yes")
	if after, err := d.version(t.Context(), d.name, "AWSCURRENT"); err != nil || after != before {
		t.Errorf("AWSCURRENT is %s, and was %s; %v", after, before, err)
	}
}

// Cut off before finishSecret: where the old password works no longer, applications are locked out until it is done.
func (d *desk) finishes(t *testing.T) {
	d.unfinish(t)
	says := "rotor recover " + d.name + " --yes"
	step := "The safe step: finish the rotation"
	if d.e.server.Overlap {
		step = "The safe step: rotate again"
	}
	d.wants(t, exitAct, []string{step, "aws secretsmanager", says}, "recover", d.name)
	d.wants(t, exitWell, []string{"Done"}, "recover", d.name, "--yes")
	if d.e.server.Overlap {
		d.wants(t, exitWell, []string{"rotated in"}, "rotate", d.name, "--wait", "1m")
	}
	d.lives(t)
	d.wants(t, exitWell, []string{"no rotation is under way"}, "recover", d.name)
}

func (d *desk) merges(t *testing.T) {
	d.unfinish(t)
	d.edit(t, "note", "of somebody")
	step := "The safe step: make a version of AWSCURRENT's fields and the password that works"
	if d.e.server.Overlap {
		step = "The safe step: give AWSPENDING up"
	}
	d.wants(t, exitAct, []string{step, "note"}, "recover", d.name)
	d.wants(t, exitWell, []string{"Done"}, "recover", d.name, "--yes")
	d.lives(t)
	if d.value(t, "AWSCURRENT")["note"] != "of somebody" {
		t.Error("the edit is lost")
	}
	d.wants(t, exitWell, []string{"no rotation is under way"}, "recover", d.name)
	d.wants(t, exitWell, []string{"rotated in"}, "rotate", d.name, "--wait", "1m")
	d.lives(t)
}

func (d *desk) goesBack(t *testing.T) {
	if _, err := d.client.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: &d.name, SecretString: aws.String("not JSON")}); err != nil {
		t.Fatal(err)
	}
	d.wants(t, exitAct, []string{"not valid JSON", "AWSPREVIOUS does", "make AWSPREVIOUS's version AWSCURRENT again"}, "recover", d.name)
	d.wants(t, exitWell, []string{"Done"}, "recover", d.name, "--yes")
	d.lives(t)
	d.edit(t, "password", "not-the-password")
	d.wants(t, exitAct, []string{"AWSPREVIOUS does", "make AWSPREVIOUS's version AWSCURRENT again"}, "recover", d.name)
	d.wants(t, exitWell, []string{"Done"}, "recover", d.name, "--yes")
	d.lives(t)
}

func (d *desk) cannotTell(t *testing.T) {
	d.edit(t, "port", "2")
	d.wants(t, exitUnknown, []string{"could not be told", "Unreachable"}, "recover", d.name, "--yes")
}

// pend puts a value under AWSPENDING, as somebody does by hand, in the place of what is there.
func (d *desk) pend(t *testing.T, value string) {
	t.Helper()
	if _, err := d.client.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: &d.name, SecretString: &value, VersionStages: []string{"AWSPENDING"}}); err != nil {
		t.Fatal(err)
	}
}

// changed is AWSCURRENT's value with another field.
func (d *desk) changed(t *testing.T, field, text string) string {
	t.Helper()
	fields := d.value(t, "AWSCURRENT")
	fields[field] = text
	value, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return string(value)
}

// Somebody has put a version under AWSPENDING: one that is no secret, one of another user, one with a password.
func (d *desk) findsPending(t *testing.T) {
	const giveUp = "The safe step: give AWSPENDING up"
	d.pend(t, "not JSON")
	d.wants(t, exitAct, []string{"not valid JSON", "none that a rotation could use", giveUp}, "recover", d.name)
	d.wants(t, exitWell, []string{"The safe step: give AWSPENDING up", "Done."}, "recover", d.name, "--yes")
	d.wants(t, exitWell, []string{"no rotation is under way"}, "recover", d.name)
	d.pend(t, d.changed(t, "username", "somebody"))
	d.wants(t, exitAct, []string{"AWSCURRENT works: nothing is urgent", `is for the user "somebody"`, "What to do: Give AWSPENDING up, and rotate again: aws "}, "recover", d.name, "--yes")
	const theirs = "Somebodys-0wn-password"
	d.pend(t, d.changed(t, "password", theirs))
	d.wants(t, exitAct, []string{"The safe step: rotate again"}, "recover", d.name)
	d.rotatesOn(t)
	if d.value(t, "AWSCURRENT")["password"] != theirs {
		t.Error("the password is another")
	}
	d.wants(t, exitWell, []string{"rotated in"}, "rotate", d.name, "--wait", "1m")
	d.lives(t)
}

// What a trial has left holds AWSCURRENT's value.
func (d *desk) hasATrialLeft(t *testing.T) {
	out, err := d.client.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &d.name})
	if err != nil {
		t.Fatal(err)
	}
	d.pend(t, aws.ToString(out.SecretString))
	d.wants(t, exitAct, []string{"AWSPENDING has AWSCURRENT's value", "Give AWSPENDING up"}, "plan", d.name)
	d.wants(t, exitAct, []string{"AWSPENDING has AWSCURRENT's value", "The safe step: give AWSPENDING up"}, "recover", d.name)
	d.wants(t, exitWell, []string{"The safe step: give AWSPENDING up", "Done."}, "recover", d.name, "--yes")
	d.lives(t)
	d.wants(t, exitWell, []string{"rotated in"}, "rotate", d.name, "--wait", "1m")
	d.lives(t)
}

// rotatesOn has the rotation under way rotate on.
func (d *desk) rotatesOn(t *testing.T) {
	t.Helper()
	version, err := d.version(t.Context(), d.name, "AWSPENDING")
	if err != nil {
		t.Fatal(err)
	}
	d.wants(t, exitWell, []string{"The safe step: rotate again", "Done."}, "recover", d.name, "--yes")
	if err := d.region.secrets.Wait(t.Context(), d.name, version); err != nil {
		t.Error(err)
	}
	d.lives(t)
	d.wants(t, exitWell, []string{"no rotation is under way"}, "recover", d.name)
}

// Rotation was cancelled under way.
func (d *desk) isOff(t *testing.T) {
	d.unfinish(t)
	if _, err := d.client.CancelRotateSecret(t.Context(), &secretsmanager.CancelRotateSecretInput{SecretId: &d.name}); err != nil {
		t.Fatal(err)
	}
	step := "The safe step: finish the rotation"
	if d.e.server.Overlap {
		step = "The safe step: give AWSPENDING up"
	}
	d.wants(t, exitAct, []string{step}, "recover", d.name)
	d.wants(t, exitWell, []string{"Done"}, "recover", d.name, "--yes")
	d.lives(t)
	d.wants(t, exitWell, []string{"no rotation is under way", "switched off"}, "recover", d.name)
	d.wants(t, exitWell, []string{"rotated in"}, "rotate", d.name, "--wait", "1m")
	d.lives(t)
	d.wants(t, exitWell, []string{"no rotation is under way.\n"}, "recover", d.name)
}

// A secret that is deleted, and one that is a replica, have nobody to ask.
func (d *desk) isNowhere(t *testing.T) {
	d.region.primaries[d.name] = "us-east-1"
	for _, command := range []string{"recover", "check", "plan"} {
		d.wants(t, exitUnknown, []string{"a replica", "--region us-east-1"}, command, d.name)
	}
	delete(d.region.primaries, d.name)
	if _, err := d.client.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: &d.name}); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"recover", "check", "plan"} {
		d.wants(t, exitUnknown, []string{"scheduled for deletion", "aws secretsmanager restore-secret --secret-id arn:"}, command, d.name)
	}
	if _, err := d.client.RestoreSecret(t.Context(), &secretsmanager.RestoreSecretInput{SecretId: &d.name}); err != nil {
		t.Fatal(err)
	}
	d.wants(t, exitWell, []string{"no rotation is under way"}, "recover", d.name)
}

func (d *desk) migrates(t *testing.T) {
	theirs := local.DeclareFunction(local.FunctionConfig{Name: "SecretsManagerSingleUser" + d.e.name, Region: "eu-west-1", Runtime: "python3.12",
		Description: "Conducts an AWS SecretsManager secret rotation using single user rotation scheme", Env: map[string]string{"PASSWORD_LENGTH": "40"}})
	d.lambda.Add(theirs)
	if err := d.rotate(t.Context(), d.name, theirs.ARN(), true); err != nil {
		t.Fatal(err)
	}
	d.wants(t, exitUnknown, []string{"not one of Rotor's"}, "check", d.name)
	back := filepath.Join(t.TempDir(), "back")
	d.wants(t, exitAct, []string{"PASSWORD_LENGTH", "PasswordLength=\"40\"", "--yes"}, "migrate", d.name, "--to", "rotor-"+d.e.name)
	if f := d.function(t); f != theirs.ARN() {
		t.Errorf("without --yes %s is attached", f)
	}
	to := []string{"migrate", d.name, "--to", "rotor-" + d.e.name, "--back", back, "--yes"}
	d.wants(t, exitWell, []string{"Sent would be"}, to...)
	if f := d.function(t); f != d.e.function {
		t.Errorf("%s is attached", f)
	}
	d.wants(t, exitWell, []string{"rotates it already"}, to...)
	d.wants(t, exitWell, []string{"rotated in"}, "rotate", d.name, "--wait", "1m")
	d.wants(t, exitWell, []string{"rotates it again"}, "migrate", "--undo", back)
	if f := d.function(t); f != theirs.ARN() {
		t.Errorf("after the way back %s is attached", f)
	}
	d.lives(t)
	d.edit(t, "password", "not-the-password")
	d.edit(t, "password", "nor-this-one")
	d.wants(t, exitAct, []string{"LoginRefused", "is attached again"}, to...)
	if f := d.function(t); f != theirs.ARN() {
		t.Errorf("after a trial that said no %s is attached", f)
	}
	written, err := os.ReadFile(back)
	if err != nil || strings.Contains(string(written), "password") {
		t.Errorf("the way back is %s, %v", written, err)
	}
}

// function is the one that rotates the secret. Its rules have stayed.
func (d *desk) function(t *testing.T) string {
	t.Helper()
	out, err := d.client.DescribeSecret(context.WithoutCancel(t.Context()), &secretsmanager.DescribeSecretInput{SecretId: &d.name})
	if err != nil {
		t.Fatal(err)
	}
	if out.RotationRules == nil || aws.ToInt64(out.RotationRules.AutomaticallyAfterDays) != every {
		t.Errorf("the rules are %+v", out.RotationRules)
	}
	return aws.ToString(out.RotationLambdaARN)
}
