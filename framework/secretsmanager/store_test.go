package secretsmanager_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/framework/secretsmanager"
	"github.com/seed492efc12/rotor/local"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// fixture is a stand-in for Secrets Manager with one secret under rotation.
type fixture struct {
	store  *secretsmanager.Store
	client *sm.Client
	arn    string

	mu       sync.Mutex
	requests []local.Request
	fail     func(operation string) *local.Fault
}

func newFixture(t *testing.T, value string) *fixture {
	t.Helper()
	f := &fixture{}
	server, err := local.NewSecretsManager(local.Options{
		Invoke:    local.InvokerFunc(f.rotate),
		Retries:   -1,
		OnRequest: func(r local.Request) { f.mu.Lock(); defer f.mu.Unlock(); f.requests = append(f.requests, r) },
		Intercept: func(operation string, _ int) *local.Fault {
			f.mu.Lock()
			defer f.mu.Unlock()
			if f.fail == nil {
				return nil
			}
			return f.fail(operation)
		},
	}).Serve()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	for name, v := range map[string]string{"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"} {
		t.Setenv(name, v)
	}
	if f.store, err = secretsmanager.New(t.Context(), server.URL, ""); err != nil {
		t.Fatal(err)
	}
	f.client = sm.New(sm.Options{BaseEndpoint: &server.URL, Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("key", "secret", "")})
	made, err := f.client.CreateSecret(t.Context(), &sm.CreateSecretInput{Name: aws.String("db"), SecretString: &value, Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("shop")}}})
	if err != nil {
		t.Fatal(err)
	}
	f.arn = *made.ARN
	return f
}

// rotate is the function of the stand-in: it fails, so that the rotation stays
// pending for the test.
func (f *fixture) rotate(context.Context, string, []byte) error { return errors.New("not now") }

// begin starts a rotation.
func (f *fixture) begin(t *testing.T) rotation.Event {
	t.Helper()
	out, err := f.client.RotateSecret(t.Context(), &sm.RotateSecretInput{SecretId: &f.arn, RotationLambdaARN: aws.String("arn:aws:lambda:eu-west-1:123456789012:function:f"), RotationRules: &types.RotationRulesType{AutomaticallyAfterDays: aws.Int64(1)}})
	if err != nil {
		t.Fatal(err)
	}
	return rotation.Event{Step: rotation.CreateSecret, SecretID: f.arn, Token: *out.VersionId}
}

func (f *fixture) failing(code string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail = func(string) *local.Fault {
		if code == "" {
			return nil
		}
		return &local.Fault{Code: code, Message: "said so"}
	}
}

func parse(t *testing.T, s string) secret.Document {
	t.Helper()
	d, err := secret.Parse([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func class(err error) rotation.Class {
	var f *rotation.Fault
	if errors.As(err, &f) {
		return f.Class
	}
	return ""
}

func TestARotationSeenFromTheStore(t *testing.T) {
	const value = `{"password":"one", "n": 1e400}`
	f := newFixture(t, value)
	ev := f.begin(t)
	st, err := f.store.Status(t.Context(), f.arn)
	if err != nil || !st.RotationEnabled || fmt.Sprint(st.Stages[ev.Token]) != "[AWSPENDING]" || st.Tags["team"] != "shop" {
		t.Fatalf("%+v, %v", st, err)
	}
	if _, err := f.store.Get(t.Context(), f.arn, rotation.Pending, ev.Token); !errors.Is(err, rotation.ErrNotFound) {
		t.Errorf("a version without a value: %v", err)
	}
	current, err := f.store.Get(t.Context(), f.arn, rotation.Current, "")
	if err != nil || string(current.Bytes()) != value {
		t.Fatalf("%s, %v", current.Bytes(), err)
	}
	if err := f.store.Put(t.Context(), ev, current.With("password", "two")); err != nil {
		t.Fatal(err)
	}
	if err := f.store.Put(t.Context(), ev, current.With("password", "three")); err != nil {
		t.Errorf("the second Put: %v", err)
	}
	pending, err := f.store.Get(t.Context(), f.arn, rotation.Pending, ev.Token)
	if err != nil || string(pending.Bytes()) != `{"password":"two", "n": 1e400}` {
		t.Errorf("pending is %s, %v", pending.Bytes(), err)
	}
	var from string
	for version, stages := range st.Stages {
		if fmt.Sprint(stages) == "[AWSCURRENT]" {
			from = version
		}
	}
	if err := f.store.Promote(t.Context(), f.arn, ev.Token, ev.Token); err == nil {
		t.Error("promoted from a version that is not current")
	}
	if err := f.store.Promote(t.Context(), f.arn, from, ev.Token); err != nil {
		t.Fatal(err)
	}
	if now, err := f.store.Get(t.Context(), f.arn, rotation.Current, ""); err != nil || now.Text("password") != "two" {
		t.Errorf("current is %v", err)
	}
	if then, err := f.store.Get(t.Context(), f.arn, rotation.Previous, ""); err != nil || then.Text("password") != "one" {
		t.Errorf("previous is %v", err)
	}
}

func TestTheRotationTokenIsPassedOn(t *testing.T) {
	f := newFixture(t, `{"password":"one"}`)
	ev := f.begin(t)
	for _, token := range []string{"", strings.Repeat("x", 36)} {
		ev.RotationToken = token
		_ = f.store.Put(t.Context(), ev, parse(t, `{"password":"two"}`)) // a token that the service did not give is refused
		f.mu.Lock()
		last := f.requests[len(f.requests)-1]
		f.mu.Unlock()
		if last.Operation != "PutSecretValue" || last.RotationToken != (token != "") {
			t.Errorf("token %q: %+v", token, last)
		}
	}
}

func TestEveryCodeHasItsClass(t *testing.T) {
	f := newFixture(t, `{"password":"one"}`)
	for code, want := range map[string]rotation.Class{
		"AccessDeniedException": rotation.AccessDenied, "DecryptionFailure": rotation.AccessDenied, "EncryptionFailure": rotation.AccessDenied,
		"ExpiredTokenException": rotation.AccessDenied, "ThrottlingException": rotation.Throttled, "InternalServiceError": rotation.StoreUnavailable,
		"ResourceNotFoundException": rotation.BadSecret, "InvalidRequestException": rotation.BadSecret, "SomethingNew": rotation.Unknown,
	} {
		f.failing(code)
		_, err := f.store.Get(t.Context(), f.arn, rotation.Current, "")
		if class(err) != want || !strings.Contains(err.Error(), code) || !strings.Contains(err.Error(), "said so") || !strings.Contains(err.Error(), "GetSecretValue") {
			t.Errorf("%s: got %v of class %s", code, err, class(err))
		}
		if retry := want == rotation.Throttled || want == rotation.StoreUnavailable; rotation.Retryable(err) != retry {
			t.Errorf("%s: retryable is %v", code, !retry)
		}
	}
}

// What a role lacks is printed as a statement of a policy, or with the command that finds the key.
func TestTheMissingPermissionIsPrinted(t *testing.T) {
	f := newFixture(t, `{"password":"one"}`)
	for _, c := range []struct{ code, message, id, says string }{
		{"AccessDeniedException", "said so", f.arn, `{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"` + f.arn + `"}`},
		{"AccessDeniedException", "said so", "db", `"Resource":"arn:*:secretsmanager:*:*:secret:db-??????"}`},
		{"AccessDeniedException", "Access to KMS is not allowed", f.arn, "kms:Decrypt"},
		{"DecryptionFailure", "said so", f.arn, "aws secretsmanager describe-secret --secret-id " + f.arn + " --query KmsKeyId --output text;"},
		{"ExpiredTokenException", "said so", f.arn, "does not take the function's credentials"},
	} {
		f.fail = func(string) *local.Fault { return &local.Fault{Code: c.code, Message: c.message} }
		_, err := f.store.Get(t.Context(), c.id, rotation.Current, "")
		var fault *rotation.Fault
		if !errors.As(err, &fault) || fault.Class != rotation.AccessDenied || !strings.Contains(fault.Remedy, c.says) {
			t.Errorf("%s of %s: %+v", c.code, c.id, fault)
		}
	}
}

func TestTheStoreDoesNotRetry(t *testing.T) {
	f := newFixture(t, `{"password":"one"}`)
	f.failing("ThrottlingException")
	f.mu.Lock()
	before := len(f.requests)
	f.mu.Unlock()
	_, _ = f.store.Status(t.Context(), f.arn)
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.requests) - before; n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestUnusableSecrets(t *testing.T) {
	for _, value := range []string{`hunter2`, `["hunter2"]`, `{"a":"hunter2","a":"x"}`} {
		f := newFixture(t, value)
		if _, err := f.store.Get(t.Context(), f.arn, rotation.Current, ""); class(err) != rotation.BadSecret || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("got %v", err)
		}
	}
	f := newFixture(t, `{}`)
	if _, err := f.client.PutSecretValue(t.Context(), &sm.PutSecretValueInput{SecretId: &f.arn, SecretBinary: []byte{1}}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.store.Get(t.Context(), f.arn, rotation.Current, ""); class(err) != rotation.BadSecret || !strings.Contains(err.Error(), "binary") {
		t.Errorf("a binary secret: %v", err)
	}
	if _, err := f.client.DeleteSecret(t.Context(), &sm.DeleteSecretInput{SecretId: &f.arn}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.store.Status(t.Context(), f.arn); class(err) != rotation.BadSecret || !strings.Contains(err.Error(), "deletion") {
		t.Errorf("a deleted secret: %v", err)
	}
}

func TestNoAnswerIsStoreUnavailable(t *testing.T) {
	f := newFixture(t, `{}`)
	f.mu.Lock()
	f.fail = func(string) *local.Fault { return &local.Fault{LoseReply: true} }
	f.mu.Unlock()
	if _, err := f.store.Status(t.Context(), f.arn); class(err) != rotation.StoreUnavailable || !rotation.Retryable(err) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.store.Status(ctx, f.arn); rotation.Retryable(err) {
		t.Errorf("a cancelled request is retryable: %v", err)
	}
}

func TestTheUserAgentNamesTheProgram(t *testing.T) {
	newFixture(t, `{}`) // whose environment it takes
	said := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		said <- r.UserAgent()
		w.WriteHeader(http.StatusTeapot)
	}))
	defer server.Close()
	store, err := secretsmanager.New(t.Context(), server.URL, "rotor-1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Status(t.Context(), "db"); err == nil {
		t.Error("a teapot has a secret")
	}
	if agent := <-said; !strings.Contains(agent, " app/rotor-1.2.3") {
		t.Errorf("the user agent is %q", agent)
	}
}
