package main_test

import (
	"testing"

	"github.com/seed492efc12/rotor/local"
	"github.com/seed492efc12/rotor/local/rig"
	"github.com/seed492efc12/rotor/rotators/documentdb/documentdbtest"
)

func TestAFailoverBetweenTwoRotations(t *testing.T) {
	bootstrap := build(t)
	c := documentdbtest.Config{ReplicaSet: true}
	for _, s := range []*documentdbtest.Server{documentdbtest.Start(t, c), documentdbtest.StartDocumentDB(t, c)} {
		w := newWorld(t, bootstrap, s, local.Options{})
		f := w.start(t)
		app := w.user(t, "app", firstPassword, "readWrite", w.shop())
		arn := w.secret(t, "app", w.document(app, firstPassword))
		for range 3 {
			if _, err := w.Rotate(t.Context(), arn, f); err != nil {
				t.Fatal(err)
			}
			s.StepDown(t)
			if !w.accepts(t, w.read(t, arn)) {
				t.Error("the current password does not work")
			}
		}
	}
}

func TestFailuresNameTheirType(t *testing.T) {
	w := newWorld(t, build(t), documentdbtest.Start(t, documentdbtest.Config{}), local.Options{})
	good := w.document(w.user(t, "app", firstPassword, "readWrite", w.shop()), firstPassword)
	trusting, doubting := w.start(t), w.start(t, "CA_BUNDLE", "")
	for _, c := range []struct {
		name, class string
		change      document
		by          *rig.Function
	}{
		{"password", "Rotation.LoginRefused", document{"password": wrongPassword}, trusting},
		{"host", "Rotation.DNS", document{"host": "no-such-host.invalid"}, trusting},
		{"port", "Rotation.Timeout", document{"port": 1}, trusting},
		{"engine", "Rotation.BadSecret", document{"engine": "postgres"}, trusting},
		{"serviceadmin", "Rotation.BadSecret", document{"username": "serviceadmin"}, trusting},
		{"authority", "Rotation.TLS", nil, doubting},
	} {
		arn := w.secret(t, c.name, good.with(c.change))
		_, err := w.Rotate(t.Context(), arn, c.by)
		if got := rig.ErrorType(err); got != c.class {
			t.Errorf("%s: error type %q, want %q: %v", c.name, got, c.class, err)
			continue
		}
		w.wantNothingSensitive(t, err.Error())
	}
	if !w.accepts(t, login{good["username"].(string), firstPassword}) {
		t.Error("the password has changed")
	}
}
