package functiontest

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/framework/serve"
	"github.com/seed492efc12/rotor/local"
	"github.com/seed492efc12/rotor/local/rig"
)

// RunRemedies makes the mistakes that are not the database's: in what the function's role may do, in its settings, in how
// it is called, in the secret's host; and lets Secrets Manager fail. It does what the messages say, word for word, and
// sees the rotation succeed.
func RunRemedies(t *testing.T, h Harness) {
	h = h.oneAtATime()
	for name, test := range map[string]func(Harness, *testing.T){
		"a role that may do nothing":                Harness.permitted,
		"a key that the role may not use":           Harness.decrypting,
		"an endpoint where nobody is":               Harness.connected,
		"settings that are none":                    Harness.configured,
		"a limit that the user's name exceeds":      Harness.limited,
		"events that are none":                      Harness.called,
		"a version that is not pending":             Harness.started,
		"a host that has no address":                Harness.resolved,
		"a Secrets Manager that is asked too often": Harness.spared,
		"a Secrets Manager that fails":              Harness.outlasted,
		"a failure that nobody has met":             Harness.reported,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // most of it is waiting
			test(h, t)
		})
	}
}

// executed says that the remedy of a class was, if the test goes well.
func (h Harness) executed(t *testing.T, class string) {
	t.Helper()
	h.log(t, "remedy/executed", strategies()[0], "class", strings.TrimPrefix(class, "Rotation."), "points", 1)
}

// wants fails the test unless a function's error has a class, and says something.
func wants(t *testing.T, err error, class string, says ...string) {
	t.Helper()
	if got := rig.ErrorType(err); got != class {
		t.Fatalf("got %v, want %s", err, class)
	}
	for _, s := range says {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("%v\ndoes not say %q", err, s)
		}
	}
}

// heeded runs the command that a message prints, which rotates, and looks at what it has led to.
func (u *user) heeded(t *testing.T, message error) {
	t.Helper()
	old := u.value(t.Context(), "AWSCURRENT").Text("password")
	if _, err := u.rig.Command(t.Context(), message.Error()); err != nil {
		t.Fatalf("after what the message says: %v\n%v", err, message)
	}
	u.wantNew(t, old)
}

// wantNew checks that the secret has another password than an old one, which works.
func (u *user) wantNew(t *testing.T, old string) {
	t.Helper()
	if u.value(t.Context(), "AWSCURRENT").Text("password") == old {
		t.Error("the secret was not rotated")
	}
	if err := u.works(t.Context(), "AWSCURRENT"); err != nil {
		t.Error(err)
	}
}

// begun makes a user with the stage's function attached to its secret, by a trial.
func (s *stage) begun(t *testing.T) *user {
	t.Helper()
	u := s.user(t)
	if _, err := s.rig.Try(t.Context(), u.arn, s.function); err != nil {
		t.Fatal(err)
	}
	return u
}

// permitted begins with a role without a policy, and gives it what each message prints until it has all: four statements
// for the secret, and one more for the administrator's.
func (h Harness) permitted(t *testing.T) {
	for by, want := range map[string]int{"single-user": 4, "single-user-by-administrator": 5} {
		s := h.direct(t, by)
		u := s.user(t)
		s.role.begin()
		_, err := s.rig.Rotate(t.Context(), u.arn, s.function)
		for range want {
			wants(t, err, "Rotation.AccessDenied", "is not authorized to perform: secretsmanager:")
			s.role.allow(t, err.Error())
			if _, err = s.rig.Command(t.Context(), err.Error()); err == nil {
				break
			}
		}
		if err != nil || s.role.size() != want {
			t.Fatalf("with %d statements: %v", s.role.size(), err)
		}
		u.wantNew(t, u.User.Text("password"))
		h.executed(t, "Rotation.AccessDenied")
	}
}

// decrypting has a secret with a key of its own.
func (h Harness) decrypting(t *testing.T) {
	const key = "arn:aws:kms:us-east-1:123456789012:key/6a51b1f0-0d3c-4b55-8c8e-3f6c1d1f2a77"
	for _, lacks := range []string{"kms:Decrypt", "kms:GenerateDataKey"} {
		s := h.direct(t, "single-user")
		u := s.user(t)
		if _, err := s.rig.Client.UpdateSecret(t.Context(), &secretsmanager.UpdateSecretInput{SecretId: &u.arn, KmsKeyId: aws.String(key)}); err != nil {
			t.Fatal(err)
		}
		s.role.begin(statement{"Allow", "secretsmanager:*", "*"})
		for _, action := range []string{"kms:Decrypt", "kms:GenerateDataKey"} {
			if action != lacks {
				s.role.add(statement{"Allow", action, key})
			}
		}
		_, err := s.rig.Rotate(t.Context(), u.arn, s.function)
		wants(t, err, "Rotation.AccessDenied", "KMS")
		printed, _, _ := strings.Cut(err.Error(), " RotateSecret may answer")
		which, commandErr := s.rig.Command(t.Context(), printed)
		if commandErr != nil || which != key {
			t.Fatalf("the key is said to be %q, %v", which, commandErr)
		}
		for _, action := range regexp.MustCompile(`kms:\w+`).FindAllString(printed, -1) {
			s.role.add(statement{"Allow", action, which})
		}
		u.heeded(t, err)
		h.executed(t, "Rotation.AccessDenied")
	}
}

// connected has a function that looks for Secrets Manager where nobody is.
func (h Harness) connected(t *testing.T) {
	s := h.direct(t, "single-user")
	u := s.user(t)
	lost := local.FunctionConfig{Name: "lost", Env: map[string]string{"SECRETS_MANAGER_ENDPOINT": "http://127.0.0.1:" + nowhere(t)}}
	_, err := s.rig.Rotate(t.Context(), u.arn, s.start(t, lost))
	wants(t, err, "Rotation.StoreUnavailable", "connection refused", "SECRETS_MANAGER_ENDPOINT, if it is set, must be that endpoint's URL")
	s.start(t, local.FunctionConfig{Name: "lost"})
	u.heeded(t, err)
	h.executed(t, "Rotation.StoreUnavailable")
}

// A setting that is none, and those that its message offers, or one that is as it says.
type setting struct {
	name, wrong, says string
	right             []string
}

func (h Harness) settingsThatAreNone() []setting {
	yes := []string{"true", "false"}
	return []setting{
		{"ROTATION_STRATEGY", "both", "single-user, single-user-by-administrator or alternating-users", strategies()},
		{"TLS_FALLBACK", "yes", "neither none nor plaintext", []string{"none", "plaintext"}},
		{"PASSWORD_OVERLAP", "on", "neither auto nor off", []string{"auto", "off"}},
		{"CLONE_DRIFT", "ignore", "neither fail nor grant", []string{"fail", "grant"}},
		{"EXCLUDE_NUMBERS", "perhaps", "neither true nor false", yes},
		{"EXCLUDE_PUNCTUATION", "2", "neither true nor false", yes},
		{"EXCLUDE_UPPERCASE", "t", "neither true nor false", yes},
		{"EXCLUDE_LOWERCASE", "f", "neither true nor false", yes},
		{"REQUIRE_EACH_INCLUDED_TYPE", "-", "neither true nor false", yes},
		{"PASSWORD_LENGTH", "many", "a whole number above 0", []string{"30"}},
		{"PASSWORD_LENGTH", "8", "raise PASSWORD_LENGTH", []string{"28"}},
		{"CONNECT_TIMEOUT", "0", "a whole number above 0", []string{"9"}},
		{"CA_BUNDLE", "/no/such/file", "the path of a file of certificates in PEM form, or their text", []string{h.Env["CA_BUNDLE"]}},
		{"USERNAME_CHARACTER_LIMIT", "-1", "a whole number above 0", []string{"100"}},
	}
}

// configured starts the function with settings that are none, and then with each that the message offers.
func (h Harness) configured(t *testing.T) {
	s := h.direct(t, "single-user")
	for _, c := range h.settingsThatAreNone() {
		u := s.user(t)
		env := maps.Clone(h.Env)
		env[c.name] = c.wrong
		_, err := s.rig.Start(local.FunctionConfig{Bootstrap: h.Bootstrap, Env: env})
		wants(t, err, "Rotation.BadConfig", c.name, c.says)
		for _, right := range c.right {
			old := u.value(t.Context(), "AWSCURRENT").Text("password")
			f := s.start(t, local.FunctionConfig{Env: map[string]string{c.name: right}})
			if _, err := s.rig.Rotate(t.Context(), u.arn, f); err != nil {
				t.Fatalf("%s=%s, as the message says: %v", c.name, right, err)
			}
			u.wantNew(t, old)
		}
		h.executed(t, "Rotation.BadConfig")
	}
}

// limited has a function that takes no name of more than one character.
func (h Harness) limited(t *testing.T) {
	s := h.direct(t, "single-user")
	u := s.user(t)
	_, err := s.rig.Rotate(t.Context(), u.arn, s.start(t, local.FunctionConfig{Name: "limited", Env: map[string]string{"USERNAME_CHARACTER_LIMIT": "1"}}))
	wants(t, err, "Rotation.BadSecret", "Raise USERNAME_CHARACTER_LIMIT")
	s.start(t, local.FunctionConfig{Name: "limited", Env: map[string]string{"USERNAME_CHARACTER_LIMIT": "100"}})
	u.heeded(t, err)
	h.executed(t, "Rotation.BadSecret")
}

// called sends the function what is no event, and then the one that the message prints.
func (h Harness) called(t *testing.T) {
	s := h.direct(t, "single-user")
	u := s.user(t)
	token := u.begin(t)
	for _, event := range []string{`hello`, `{}`, `{"Records": []}`, `{"Step":"rotate","SecretId":"x","ClientRequestToken":"y"}`,
		`{"Step":"testSecret","SecretId":"x"}`, `{"Step":"testSecret","ClientRequestToken":"y"}`} {
		err := s.function.Invoke(t.Context(), event)
		wants(t, err, "Rotation.BadEvent", "Let Secrets Manager call this function")
		example := regexp.MustCompile(`\{.*\}`).FindString(err.Error())
		good := strings.NewReplacer("the secret's ARN", u.arn, "the version that is AWSPENDING", token).Replace(example)
		if err := s.function.Invoke(t.Context(), good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
		h.executed(t, "Rotation.BadEvent")
	}
	if _, err := s.rig.Command(t.Context(), "aws secretsmanager rotate-secret --secret-id "+u.arn); err != nil {
		t.Error(err)
	}
}

// started calls the function by itself.
func (h Harness) started(t *testing.T) {
	s := h.direct(t, "single-user")
	for name, c := range map[string]struct {
		version func(u *user, t *testing.T) string
		says    string
	}{
		"of no version":       {func(*user, *testing.T) string { return strings.Repeat("0", 36) }, "has no version"},
		"of a version in use": {func(u *user, t *testing.T) string { return u.begin(t) }, "has no value"},
		"of a version of old": {(*user).old, "is not staged AWSPENDING"},
		"of rotation cut off": {(*user).cancelled, "not enabled"},
	} {
		t.Run(name, func(t *testing.T) {
			u := s.begun(t)
			err := s.function.Invoke(t.Context(), fmt.Sprintf(`{"Step":"setSecret","SecretId":%q,"ClientRequestToken":%q}`, u.arn, c.version(u, t)))
			wants(t, err, "Rotation.NotReady", c.says)
			u.heeded(t, err)
			h.executed(t, "Rotation.NotReady")
		})
	}
}

// old rotates, and is the version that was current before.
func (u *user) old(t *testing.T) (version string) {
	t.Helper()
	n, err := u.rig.Rotate(t.Context(), u.arn, u.function)
	if err != nil {
		t.Fatal(err)
	}
	return n.Labels["AWSPREVIOUS"]
}

// cancelled turns rotation off, and is the version that is current.
func (u *user) cancelled(t *testing.T) (version string) {
	t.Helper()
	if _, err := u.rig.Client.CancelRotateSecret(t.Context(), &secretsmanager.CancelRotateSecretInput{SecretId: &u.arn}); err != nil {
		t.Fatal(err)
	}
	labels, err := u.rig.Labels(t.Context(), u.arn)
	if err != nil {
		t.Fatal(err)
	}
	return labels["AWSCURRENT"]
}

// resolved has a secret with a host that has no address. It is corrected while its rotation is pending, which is given
// up as the next message says.
func (h Harness) resolved(t *testing.T) {
	s := h.direct(t, "single-user")
	u := s.user(t, set("host", "nowhere.invalid"))
	f := s.start(t, local.FunctionConfig{Name: "resolved"})
	_, err := s.rig.Rotate(t.Context(), u.arn, f)
	wants(t, err, "Rotation.DNS", "nowhere.invalid", "Check the secret's host")
	u.edit(t, s.located(t, u.value(t.Context(), "AWSCURRENT")))
	_, again := s.rig.Command(t.Context(), err.Error())
	wants(t, again, "Rotation.BadSecret", "differ in host")
	giveUp, _, _ := strings.Cut(again.Error(), " RotateSecret may answer")
	if _, err := s.rig.Command(t.Context(), giveUp); err != nil {
		t.Fatal(err)
	}
	u.heeded(t, again)
	h.executed(t, "Rotation.DNS")
}

// edit is what an operator does who corrects a secret.
func (u *user) edit(t *testing.T, d secret.Document) {
	t.Helper()
	if _, err := u.rig.Client.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: &u.arn, SecretString: aws.String(string(d.Bytes()))}); err != nil {
		t.Fatal(err)
	}
}

// spared is asked too often, for one attempt of Secrets Manager.
func (h Harness) spared(t *testing.T) {
	h.passing(t, "ThrottlingException", "Rotation.Throttled", "Nothing is lost: Secrets Manager tries again")
}

// outlasted fails, for one attempt of Secrets Manager.
func (h Harness) outlasted(t *testing.T) {
	h.passing(t, "InternalServiceError", "Rotation.StoreUnavailable", "Nothing is lost, and it tries again by itself")
}

// reported has an answer that nobody has met, for one attempt of Secrets Manager. The log has what a report needs.
func (h Harness) reported(t *testing.T) {
	u, said := h.passing(t, "SomethingNewException", "Rotation.Unknown", "report it with the log lines above. Secrets Manager tries again by itself")
	WantReport(t, u.function.Log(), "Rotation.Unknown", "createSecret", "calling DescribeSecret of Secrets Manager: SomethingNewException: said the test", said)
}

// passing has Secrets Manager answer with an error, to all that a first attempt asks. The second is Secrets Manager's own,
// and succeeds. It returns the first one's error.
func (h Harness) passing(t *testing.T, code, class, says string) (*user, error) {
	t.Helper()
	s := h.newStage(t, "single-user", 1)
	s.function = s.start(t, local.FunctionConfig{})
	u := s.user(t)
	s.whenFailed(func() { s.fault.Store(nil) })
	s.fault.Store(&local.Fault{Code: code, Message: "said the test"})
	n, err := s.rig.Rotate(t.Context(), u.arn, s.function)
	if err != nil || len(n.Steps) != 5 {
		t.Fatalf("after %d steps: %v", len(n.Steps), err)
	}
	wants(t, n.Steps[0].Err, class, code, says)
	u.wantNew(t, u.User.Text("password"))
	h.executed(t, class)
	return u, n.Steps[0].Err
}

// WantReport checks that a function's log has what a report of a defect needs: Rotor's version and the engine, and in one
// line the step, the secret's version, the class, the cause and what to do, as the error has them.
func WantReport(t *testing.T, log, class, step, cause string, said error) {
	t.Helper()
	began, failed := false, false
	for line := range strings.Lines(log) {
		var l struct {
			Message, Rotor, Engine, Class, Cause, Remedy string
			Rotation                                     struct{ Step, Secret, Version string }
		}
		if json.Unmarshal([]byte(line), &l) != nil {
			t.Errorf("no JSON: %s", line)
		}
		began = began || l.Message == "started" && l.Rotor == serve.Version && l.Engine != ""
		if l.Message == "step failed" {
			whole := fmt.Sprintf("%s of %s, version %s: %s: %s. %s", l.Rotation.Step, l.Rotation.Secret, l.Rotation.Version, l.Class, l.Cause, l.Remedy)
			failed = failed || l.Class == class && l.Rotation.Step == step && strings.Contains(l.Cause, cause) && strings.Contains(said.Error(), whole)
		}
	}
	if !began || !failed {
		t.Errorf("the log lacks what a report needs (started: %v, failed: %v):\n%s\nthe error is %v", began, failed, log, said)
	}
}
