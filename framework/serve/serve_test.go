package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/password"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/local/localtls"
)

func env(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestDefaultsAreTheSafeOnes(t *testing.T) {
	c, err := settings(env())
	if err != nil {
		t.Fatal(err)
	}
	if c.password != password.Default() || c.database.Strategy != database.SingleUser || c.database.Plaintext || c.database.GrantDrift || c.database.NoOverlap || c.authorities != nil {
		t.Errorf("%+v", c)
	}
}

func TestSettingsAreRead(t *testing.T) {
	c, err := settings(env("PASSWORD_LENGTH", "40", "EXCLUDE_CHARACTERS", "xyz", "EXCLUDE_NUMBERS", "True", "EXCLUDE_PUNCTUATION", "1", "EXCLUDE_UPPERCASE", "yes", "EXCLUDE_LOWERCASE", "no",
		"REQUIRE_EACH_INCLUDED_TYPE", "false", "USERNAME_CHARACTER_LIMIT", "16", "ROTATION_STRATEGY", "alternating-users", "CLONE_SUFFIX", "_b", "CONNECT_TIMEOUT", "7",
		"TLS_FALLBACK", "plaintext", "PASSWORD_OVERLAP", "off", "CLONE_DRIFT", "grant"))
	if err != nil {
		t.Fatal(err)
	}
	want := password.Policy{Length: 40, Exclude: "xyz", ExcludeNumbers: true, ExcludePunctuation: true, ExcludeUpper: true}
	d := c.database
	if c.password != want || d.MaxUser != 16 || d.Strategy != database.AlternatingUsers || d.CloneSuffix != "_b" || d.ConnectTimeout != 7*time.Second ||
		!d.Plaintext || !d.NoOverlap || !d.GrantDrift {
		t.Errorf("%+v", c)
	}
}

func TestBadSettingsAreNamedAllAtOnce(t *testing.T) {
	bad := []string{"PASSWORD_LENGTH", "many", "EXCLUDE_NUMBERS", "maybe", "USERNAME_CHARACTER_LIMIT", "-1", "ROTATION_STRATEGY", "alternating", "CONNECT_TIMEOUT", "0",
		"TLS_FALLBACK", "yes", "PASSWORD_OVERLAP", "on", "CLONE_DRIFT", "maybe", "CA_BUNDLE", "/no/such/file"}
	_, err := settings(env(bad...))
	for i := 0; i < len(bad); i += 2 {
		if err == nil || !strings.Contains(err.Error(), bad[i]) {
			t.Errorf("%s=%s is not named in %v", bad[i], bad[i+1], err)
		}
	}
	var told bytes.Buffer
	log := slog.New(slog.NewTextHandler(&told, nil))
	if _, err := Engine(new(databasetest.Memory).Driver(), env("PASSWORD_LENGTH", "12"), nil, log); err == nil || !strings.Contains(err.Error(), "PASSWORD_LENGTH") {
		t.Errorf("too little entropy: %v", err)
	}
	if _, err := Engine(new(databasetest.Memory).Driver(), env("PASSWORD_LENGTH", "16"), nil, log); err != nil || !strings.Contains(told.String(), "bits of entropy") {
		t.Errorf("little entropy: %v, %s", err, told.String())
	}
}

func TestCABundleIsAPathOrPEM(t *testing.T) {
	ca, err := localtls.New()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, ca.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, v := range []string{file, string(ca.PEM())} {
		if c, err := settings(env("CA_BUNDLE", v)); err != nil || !bytes.Equal(c.authorities, ca.PEM()) {
			t.Errorf("got %v", err)
		}
	}
	if err := os.WriteFile(file, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, v := range []string{file, "-----BEGIN nonsense", os.DevNull} {
		if _, err := settings(env("CA_BUNDLE", v)); err == nil || !strings.Contains(err.Error(), "CA_BUNDLE") {
			t.Errorf("%s: got %v", v, err)
		}
	}
}

func TestOnlyClassifiedErrorsPass(t *testing.T) {
	for _, c := range []struct {
		name string
		f    func(context.Context, []byte) error
		typ  rotation.Class
	}{
		{"success", func(context.Context, []byte) error { return nil }, ""},
		{"classified", func(context.Context, []byte) error {
			return &rotation.Error{Class: rotation.TLS, Cause: "c", Remedy: "r"}
		}, rotation.TLS},
		{"unclassified", func(context.Context, []byte) error { return errors.New("hunter2") }, rotation.Unknown},
		{"panic", func(context.Context, []byte) error { panic("hunter2") }, rotation.Panic},
	} {
		out, err := handler{c.f, nil, slog.New(slog.DiscardHandler)}.Invoke(t.Context(), nil)
		var e messages.InvokeResponse_Error
		if errors.As(err, &e) != (c.typ != "") || e.Type != string(c.typ) || strings.Contains(e.Message, "hunter2") || (err == nil) != (string(out) == "null") {
			t.Errorf("%s: %s, %v", c.name, out, err)
		}
	}
}

// A question is answered in JSON, whatever the answer; only an event ends as a step does.
func TestAQuestionIsAnsweredInJSON(t *testing.T) {
	const arn = "arn:aws:lambda:eu-west-1:111122223333:function:f"
	h := handler{
		func(context.Context, []byte) error { return errors.New("no question") },
		func(_ context.Context, q rotation.Question) rotation.Answer {
			return rotation.Answer{Ask: q.Ask, SecretID: q.SecretID + " by " + q.Function}
		},
		slog.New(slog.DiscardHandler),
	}
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{InvokedFunctionArn: arn})
	out, err := h.Invoke(ctx, []byte(`{"Rotor":"which","SecretId":"s"}`))
	if want := `{"rotor":"which","secret":"s by ` + arn + `"}`; err != nil || string(out) != want {
		t.Errorf("got %s, %v, want %s", out, err, want)
	}
	if _, err := h.Invoke(ctx, []byte(`{"Step":"setSecret"}`)); err == nil {
		t.Error("an event was taken for a question")
	}
}

func TestMetricsAreInTheEmbeddedFormat(t *testing.T) {
	var out bytes.Buffer
	m := metrics{"postgres", &out, func() time.Time { return time.UnixMilli(1700000000000) }}
	m.observe(rotation.Outcome{Event: rotation.Event{Step: rotation.SetSecret, SecretID: "arn"}, Took: 1500 * time.Microsecond, Attempts: 1, Gauges: map[string]float64{"CertificateDaysToExpiry": 90.5}})
	m.observe(rotation.Outcome{Event: rotation.Event{Step: rotation.SetSecret, SecretID: "arn"}, Err: &rotation.Error{Class: rotation.TLS, Cause: "hunter2"}, Attempts: 2})
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 || strings.Contains(out.String(), "hunter2") {
		t.Fatalf("got %s", out.String())
	}
	for i, want := range []map[string]any{
		{"Engine": "postgres", "Step": "setSecret", "Duration": 1.5, "Attempts": 1.0, "Failures": 0.0, "CertificateDaysToExpiry": 90.5, "Class": nil},
		{"Engine": "postgres", "Step": "setSecret", "Duration": 0.0, "Attempts": 2.0, "Failures": 1.0, "Class": "Rotation.TLS"},
	} {
		var got map[string]any
		if err := json.Unmarshal([]byte(lines[i]), &got); err != nil {
			t.Fatal(err)
		}
		for name, v := range want {
			if got[name] != v {
				t.Errorf("line %d: %s is %v, want %v", i, name, got[name], v)
			}
		}
		checkDirective(t, got)
	}
}

// checkDirective checks what CloudWatch demands: every dimension and metric
// that is named is a member of the line.
func checkDirective(t *testing.T, line map[string]any) {
	t.Helper()
	aws, ok := line["_aws"].(map[string]any)
	if !ok || aws["Timestamp"] != 1700000000000.0 {
		t.Fatalf("_aws is %v", line["_aws"])
	}
	for _, d := range aws["CloudWatchMetrics"].([]any) {
		directive := d.(map[string]any)
		for _, set := range directive["Dimensions"].([]any) {
			for _, name := range set.([]any) {
				if _, ok := line[name.(string)].(string); !ok {
					t.Errorf("the dimension %v is missing", name)
				}
			}
		}
		for _, m := range directive["Metrics"].([]any) {
			name := m.(map[string]any)["Name"].(string)
			if _, ok := line[name].(float64); !ok {
				t.Errorf("the metric %s is missing", name)
			}
		}
	}
}

func TestWhatTheRuntimeSaysIsToldOnceAndAsJSON(t *testing.T) {
	var out bytes.Buffer
	r := relay{slog.New(slog.NewJSONHandler(&out, nil))}
	for _, line := range []string{`{"errorMessage":"testSecret of x: Rotation.TLS: ...","errorType":"Rotation.TLS"}` + "\n", "WARNING! no extension\n", `{"errorMessage":"x","errorType":"Other"}` + "\n"} {
		if n, err := r.Write([]byte(line)); n != len(line) || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	}
	if text := out.String(); strings.Contains(text, "Rotation.TLS") || !strings.Contains(text, `"msg":"WARNING! no extension"`) || strings.Count(text, "\n") != 2 {
		t.Errorf("got %s", text)
	}
}
