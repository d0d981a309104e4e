package secret

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func parse(t testing.TB, s string) Document {
	t.Helper()
	d, err := Parse([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestEveryOtherByteSurvives(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"order and nesting", `{"z":1e3,"password":"old","nested":{"b":[1, 2]},"port":5432}`, `{"z":1e3,"password":"n\"<ew","nested":{"b":[1, 2]},"port":5432}`},
		{"white space", "{\n  \"password\" : \"old\" ,\n  \"a\" : 1\n}\n", "{\n  \"password\" : \"n\\\"<ew\" ,\n  \"a\" : 1\n}\n"},
		{"huge number", `{"password":"old","n":123456789012345678901234567890.5e-400}`, `{"password":"n\"<ew","n":123456789012345678901234567890.5e-400}`},
		{"escaped names", `{"p\u0061ssword":"old","\u00e9":"\u00e9"}`, `{"p\u0061ssword":"n\"<ew","\u00e9":"\u00e9"}`},
		{"new field goes last", `{"a":1 }`, `{"a":1 ,"password":"n\"<ew"}`},
		{"empty object", `{}`, `{"password":"n\"<ew"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := parse(t, c.in)
			got := d.With("password", `n"<ew`)
			if string(got.Bytes()) != c.want {
				t.Errorf("got  %s\nwant %s", got.Bytes(), c.want)
			}
			if got.Text("password") != `n"<ew` {
				t.Errorf("With gave %q", got.Text("password"))
			}
			if string(d.Bytes()) != c.in {
				t.Errorf("With changed its receiver: %s", d.Bytes())
			}
		})
	}
}

func TestChangesAddUp(t *testing.T) {
	d := parse(t, `{"username":"a","x":[1],"password":"b"}`).With("username", "longer name").With("password", "c").With("new", "d").With("x", "")
	if got, want := string(d.Bytes()), `{"username":"longer name","x":"","password":"c","new":"d"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for name, want := range map[string]string{"username": "longer name", "password": "c", "new": "d", "x": ""} {
		if d.Text(name) != want {
			t.Errorf("%s is %q, want %q", name, d.Text(name), want)
		}
	}
}

func TestText(t *testing.T) {
	d := parse(t, `{"s":"x","n":5432,"b":true,"o":{},"l":[1],"z":null}`)
	for name, want := range map[string]string{"s": "x", "n": "5432", "b": "true", "o": "", "l": "", "z": "", "missing": ""} {
		if got := d.Text(name); got != want {
			t.Errorf("Text(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestRefusesWithoutQuoting(t *testing.T) {
	for _, in := range []string{``, `hunter2`, `"hunter2"`, `["hunter2"]`, `{"hunter2"}`, `{"a":"hunter2",}`, `{"a":"hunter2"} x`, `{"a":"hunter2"}{}`,
		`{"a":"hunter2`, "{\"a\":\"hunter2\xff\"}", `{"hunter":1,"a":hunter2}`, `{"a":1,"a":"hunter2"}`, `{"a":1,"\u0061":"hunter2"}`} {
		_, err := Parse([]byte(in))
		if err == nil {
			t.Errorf("%s was accepted", in)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error quotes the secret: %v", in, err)
		}
	}
}

func TestNeverPrints(t *testing.T) {
	d := parse(t, `{"password":"hunter2"}`)
	j, _ := json.Marshal(map[string]any{"d": d, "list": []Document{d}})
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "d", d, "in", struct{ D Document }{d})
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "d", d, "in", struct{ D Document }{d})
	type wrapper struct{ D *Document }
	all := []string{string(j), log.String(), fmt.Sprint(d, &d, []Document{d}), fmt.Sprintf("%+v %#v %s %q %d %x %v", d, d, d, d, d, d, wrapper{&d})}
	for _, s := range all {
		if strings.Contains(s, "hunter2") || strings.Contains(s, "104 117") || strings.Contains(s, "68756e74") {
			t.Errorf("leaked: %s", s)
		}
	}
}

func TestRedactsEveryFormButNoPublicField(t *testing.T) {
	const password = `p'a"s\s]w&rd<é`
	d := parse(t, `{"engine":"postgres","username":"app","host":"db.example"}`).With("password", password).With("apiKey", "abcd1234")
	for _, text := range []string{
		password,
		`ALTER ROLE app PASSWORD '` + strings.ReplaceAll(password, `'`, `''`) + `'`,
		fmt.Sprintf("%q %+q", password, password),
		`{"password":` + marshalled(password) + `}`,
		`postgres://app:p%27a%22s%5Cs%5Dw&rd%3C%C3%A9@db`,
		"key=abcd1234",
	} {
		got := d.Redact(text)
		if got == text || strings.Contains(got, "a\"s") || strings.Contains(got, "1234") {
			t.Errorf("%s became %s", text, got)
		}
	}
	if got := d.Redact("app@db.example (postgres)"); got != "app@db.example (postgres)" {
		t.Errorf("public fields became %s", got)
	}
}

// What nobody has declared is hidden, and so is what nobody may declare.
func TestAFieldIsPublicIfItIsDeclaredAlone(t *testing.T) {
	d := parse(t, `{"host":"db.example","group":"group-one","region":"region-one","sentinelPassword":"hunter2","Token":"token-one","apiKey":"key-one-1","keyspace":"space-one","other":"space-one2"}`)
	const text = "group-one region-one hunter2 token-one key-one-1 space-one db.example"
	if got := d.Redact(text); got != "[secret] [secret] [secret] [secret] [secret] [secret] db.example" {
		t.Errorf("without a declaration: %s", got)
	}
	if got := d.Redact(text, "group", "keyspace", "sentinelPassword", "Token", "apiKey", "none"); got != "group-one [secret] [secret] [secret] [secret] space-one db.example" {
		t.Errorf("declared: %s", got)
	}
	if got := d.With("region", "group-one").Redact("group-one", "group"); got != "[secret]" {
		t.Errorf("what another field hides: %s", got)
	}
}

func FuzzDocumentRoundTrip(f *testing.F) {
	for _, s := range []string{`{"a":1,"b":"x"}`, `{}`, "{ \"a\" :\t{\"b\":[null]}\n}", `{"\ud800":"\udfff","a":""}`, `{"a":1,"a":2}`} {
		f.Add([]byte(s), "a", "text")
	}
	f.Fuzz(func(t *testing.T, data []byte, name, text string) {
		d, err := Parse(data)
		if err != nil {
			return
		}
		if !bytes.Equal(d.Bytes(), data) {
			t.Fatalf("%q became %q", data, d.Bytes())
		}
		name, text = strings.ToValidUTF8(name, "?"), strings.ToValidUTF8(text, "?")
		changed := d.With(name, text)
		again, err := Parse(changed.Bytes())
		if err != nil {
			t.Fatalf("%q with %q = %q is %q: %v", data, name, text, changed.Bytes(), err)
		}
		if again.Text(name) != text || changed.Text(name) != text {
			t.Fatalf("%q with %q = %q reads %q", data, name, text, again.Text(name))
		}
		for _, f := range d.fields {
			if f.name != name && again.Text(f.name) != d.Text(f.name) {
				t.Fatalf("field %q changed", f.name)
			}
		}
	})
}
