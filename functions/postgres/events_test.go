package main_test

import (
	"crypto/rand"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/seed492efc12/rotor/local"
	"github.com/seed492efc12/rotor/local/functiontest"
	"github.com/seed492efc12/rotor/local/rig"
	"github.com/seed492efc12/rotor/rotators/postgres/postgrestest"
)

func event(step, arn, token string) string {
	return document{"Step": step, "SecretId": arn, "ClientRequestToken": token, "RotationToken": "a rotation token that nobody may see"}.String()
}

// stage puts a value into a new version with a label, as only somebody else would.
func (w *world) stage(t *testing.T, arn, label string, d document) (token string) {
	t.Helper()
	token = "staged-" + rand.Text() + rand.Text()
	_, err := w.Client.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{
		SecretId: &arn, ClientRequestToken: &token, SecretString: aws.String(d.String()), VersionStages: []string{label},
	})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestAnEventThatDoesNotFitChangesNothing(t *testing.T) {
	w := newWorld(t, build(t), postgrestest.Newest(t), local.Options{})
	w.passwords = append(w.passwords, "a rotation token that nobody may see")
	f := w.start(t)
	good := w.document(w.role(t, "app", firstPassword), firstPassword)
	off := w.secret(t, "off", good)
	arn := w.secret(t, "on", good)
	n := must(w.Rotate(t.Context(), arn, f))(t)
	now := good.with(document{"password": w.read(t, arn, "AWSCURRENT").Password})
	other := w.stage(t, arn, "OTHER", good)
	for _, c := range []struct{ name, event, class, says string }{
		{"unknown step", event("dropSecret", arn, n.Token), "Rotation.BadEvent", `"dropSecret"`},
		{"missing token", event("setSecret", arn, ""), "Rotation.BadEvent", "ClientRequestToken"},
		{"missing secret", event("setSecret", "", n.Token), "Rotation.BadEvent", "SecretId"},
		{"no event", `"hello"`, "Rotation.BadEvent", "not a rotation event"},
		{"rotation off", event("createSecret", off, n.Token), "Rotation.NotReady", "not enabled"},
		{"unknown token", event("setSecret", arn, strings.Repeat("x", 36)), "Rotation.NotReady", "no version"},
		{"token not staged", event("setSecret", arn, other), "Rotation.NotReady", "not staged AWSPENDING"},
		{"token of the version before", event("setSecret", arn, w.state(t, arn).labels["AWSPREVIOUS"]), "Rotation.NotReady", "not staged AWSPENDING"},
		{"another host in pending", event("setSecret", arn, w.stage(t, arn, "AWSPENDING", now.with(document{"host": "localhost"}))), "Rotation.BadSecret", "differ in host"},
	} {
		t.Run(c.name, func(t *testing.T) { w.wantEventRefused(t, f, arn, c.event, failure{class: c.class, says: c.says}) })
	}
	pending := w.stage(t, arn, "AWSPENDING", now.with(document{"username": w.box.Role("dba")}))
	for _, step := range []string{"setSecret", "set_secret"} {
		w.wantEventRefused(t, f, arn, event(step, arn, pending), failure{class: "Rotation.BadSecret", says: "is next"})
	}
	if !w.accepts(t, login{now["username"].(string), now["password"].(string)}) {
		t.Error("the current password no longer works")
	}
}

func (w *world) wantEventRefused(t *testing.T, f *rig.Function, arn, event string, want failure) {
	t.Helper()
	before := w.state(t, arn)
	w.wantFailure(t, f.Invoke(t.Context(), event), want)
	w.wantUnwritten(t, before)
}

func TestAStepOfAFinishedRotationSucceedsAndWritesNothing(t *testing.T) {
	w := newWorld(t, build(t), postgrestest.Newest(t), local.Options{})
	f := w.start(t)
	arn := w.secret(t, "app", w.document(w.role(t, "app", firstPassword), firstPassword))
	n := must(w.Rotate(t.Context(), arn, f))(t)
	before := w.state(t, arn)
	for _, step := range []string{"createSecret", "setSecret", "testSecret", "finishSecret", "create_secret"} {
		if err := f.Invoke(t.Context(), event(step, arn, n.Token)); err != nil {
			t.Errorf("%s: %v", step, err)
		}
	}
	w.wantUnwritten(t, before)
}

func TestABadSettingStopsTheFunctionAsItStarts(t *testing.T) {
	functiontest.RunBadSettings(t, build(t), map[string]string{
		"PASSWORD_LENGTH":            "many",
		"ROTATION_STRATEGY":          "x",
		"EXCLUDE_NUMBERS":            "perhaps",
		"CONNECT_TIMEOUT":            "0",
		"TLS_FALLBACK":               "yes",
		"CLONE_DRIFT":                "ignore",
		"CA_BUNDLE":                  "/no/such/file",
		"USERNAME_CHARACTER_LIMIT":   "-1",
		"REQUIRE_EACH_INCLUDED_TYPE": "2",
	})
	r := must(rig.Open(local.Options{}))(t)
	closing(t, r)
	t.Run("too weak", func(t *testing.T) {
		_, err := r.Start(local.FunctionConfig{Bootstrap: build(t), Env: map[string]string{"PASSWORD_LENGTH": "12"}})
		if rig.ErrorType(err) != "Rotation.BadConfig" || !strings.Contains(err.Error(), "bits") {
			t.Errorf("got %v", err)
		}
	})
}
