package main_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/seed492efc12/rotor/local"
	"github.com/seed492efc12/rotor/rotators/postgres/postgrestest"
)

// badSecrets are made of a good secret's JSON.
var badSecrets = []struct {
	name string
	make func(good document) string
	says string
}{
	{"not JSON", func(document) string { return "open sesame" }, "AWSCURRENT value"},
	{"a list", func(good document) string { return "[" + good.String() + "]" }, "AWSCURRENT value"},
	{"cut off", func(good document) string { return strings.TrimSuffix(good.String(), "}") }, "AWSCURRENT value"},
	{"duplicate keys", func(good document) string { return strings.Replace(good.String(), "{", `{"password":"twice",`, 1) }, "password"},
	{"no engine", changed(document{"engine": nil}), "engine"},
	{"another engine", changed(document{"engine": "mysql"}), `engine "mysql"; this function rotates postgres`},
	{"no host", changed(document{"host": nil}), `no field "host"`},
	{"no username", changed(document{"username": nil}), `no field "username"`},
	{"no password", changed(document{"password": nil}), `no field "password"`},
	{"port abc", changed(document{"port": "abc"}), `port "abc"`},
	{"port 70000", changed(document{"port": 70000}), `port "70000"`},
	{"a user name of 64 bytes", changed(document{"username": strings.Repeat("x", 64)}), "64 bytes"},
	{"a reserved user", changed(document{"username": "pg_monitor"}), "reserved"},
}

func changed(fields document) func(document) string {
	return func(good document) string { return good.with(fields).String() }
}

func TestABadSecretIsRefusedBeforeAnythingIsWritten(t *testing.T) {
	w := newWorld(t, build(t), postgrestest.Newest(t), local.Options{})
	f := w.start(t)
	good := w.document(w.role(t, "app", firstPassword), firstPassword)
	w.passwords = append(w.passwords, firstPassword, "open sesame", `"twice"`)
	for _, c := range badSecrets {
		t.Run(c.name, func(t *testing.T) {
			arn := w.rawSecret(t, strings.ReplaceAll(c.name, " ", "-"), c.make(good))
			w.wantRefused(t, arn, f, failure{class: "Rotation.BadSecret", says: c.says})
		})
	}
	t.Run("binary", func(t *testing.T) {
		name := "binary"
		out := must(w.Client.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: &name, SecretBinary: []byte(good.String())}))(t)
		w.wantRefused(t, *out.ARN, f, failure{class: "Rotation.BadSecret", says: "binary"})
	})
	if !w.accepts(t, login{good["username"].(string), firstPassword}) {
		t.Error("the password no longer works")
	}
}

func TestAnAdministratorSecretMustBeForTheSameServer(t *testing.T) {
	w := newWorld(t, build(t), postgrestest.Newest(t), local.Options{})
	nowhere := w.masterARN[:strings.LastIndex(w.masterARN, ":")] + ":nowhere-AbCdEf"
	elsewhere := w.secret(t, "elsewhere", w.document(w.box.Role("dba"), adminPassword).with(document{"host": "localhost"}))
	notJSON := w.rawSecret(t, "not-json", "open sesame")
	for _, by := range strategies[1:] {
		f := w.start(t, "ROTATION_STRATEGY", by)
		good := w.document(w.role(t, "app_"+by[:6], firstPassword), firstPassword)
		for _, c := range []struct {
			name      string
			masterARN any
			says      string
		}{
			{"none named", nil, `no field "masterarn"`},
			{"missing", nowhere, nowhere + " does not exist"},
			{"of another host", elsewhere, "different servers"},
			{"not JSON", notJSON, "AWSCURRENT value of " + notJSON},
		} {
			t.Run(by+"/"+c.name, func(t *testing.T) {
				arn := w.secret(t, by+strings.ReplaceAll(c.name, " ", "-"), good.with(document{"masterarn": c.masterARN}))
				w.wantRefused(t, arn, f, failure{class: "Rotation.BadSecret", says: c.says, put: true})
			})
		}
		if !w.accepts(t, login{good["username"].(string), firstPassword}) {
			t.Error("the password no longer works")
		}
	}
}

func TestEverythingElseInASecretSurvivesByteForByte(t *testing.T) {
	w := newWorld(t, build(t), postgrestest.Newest(t), local.Options{})
	const password = `F1rst-pass-word`
	user := w.role(t, "app", password)
	value := fmt.Sprintf(`
  { "engine" : "postgres", "zzz":[1.0, 1e400,-0, {"password":"kept\u0021", "a":{"a":null}}],
	"host":%q,"huge":123456789012345678901234567890.000001, "port" : "%d" ,"dbname":%q,
    "username":%q, "Password":"kept", "password": "%s" , "\u00e9":"\/\ud83d\ude00" }
`, w.server.Host, w.server.Port, w.box.Database, user, password)
	arn := w.rawSecret(t, "odd", value)
	if _, err := w.Rotate(t.Context(), arn, w.start(t)); err != nil {
		t.Fatal(err)
	}
	now := must(w.Value(t.Context(), arn, "AWSCURRENT"))(t)
	l := w.read(t, arn, "AWSCURRENT")
	if back := strings.Replace(now, l.Password, password, 1); back != value || l.Password == password {
		t.Errorf("more than the password has changed:\n%s\nwas\n%s", back, value)
	}
	if !w.accepts(t, login{user, l.Password}) {
		t.Error("the new password does not work")
	}
}

func TestUserNamesAndPasswordsMayHoldAnything(t *testing.T) {
	var printable strings.Builder
	for c := ' '; c <= '~'; c++ {
		printable.WriteRune(c)
	}
	w := newWorld(t, build(t), postgrestest.Newest(t), local.Options{})
	f := w.start(t, "ROTATION_STRATEGY", "alternating-users", "PASSWORD_LENGTH", "128", "EXCLUDE_CHARACTERS", "~")
	for i, base := range []string{`quote"d`, `apo'strophe`, `per%cent %s`, `sp ace`, `semi;colon--`, `back\slash`, `ünïcødé 漢字`, `UPPER`, ""} {
		t.Run(base, func(t *testing.T) {
			if base == "" { // with "_clone" 63 bytes
				base = strings.Repeat("x", 57-len(w.box.Role("")))
			}
			user := w.role(t, base, printable.String())
			arn := w.secret(t, fmt.Sprint("app", i), w.document(user, printable.String()).with(document{"masterarn": w.masterARN}))
			for range 2 {
				if _, err := w.Rotate(t.Context(), arn, f); err != nil {
					t.Fatal(err)
				}
				if l := w.read(t, arn, "AWSCURRENT"); len(l.Password) != 128 || !w.accepts(t, l) {
					t.Errorf("the new password of %q does not work", l.Username)
				}
			}
		})
	}
}
