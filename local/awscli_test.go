package local_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/local"
)

// cli runs the AWS CLI, another maker's client, against the stand-in and decodes what it prints.
func (a account) cli(t *testing.T, out any, args ...string) (stderr string, err error) {
	t.Helper()
	text, said, err := a.run(t, args...)
	if err == nil && out != nil {
		if err := json.Unmarshal([]byte(text), out); err != nil {
			t.Errorf("%q printed %q: %v", args, text, err)
		}
	}
	return said, err
}

// run runs the AWS CLI, in us-east-1 unless the arguments say otherwise.
func (a account) run(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	path, err := exec.LookPath("aws")
	switch {
	case err != nil && os.Getenv("ROTOR_REQUIRE_CLIENTS") == "1":
		t.Fatal("there is no AWS CLI, and ROTOR_REQUIRE_CLIENTS=1")
	case err != nil:
		t.Skip("not covered: there is no AWS CLI")
	}
	cmd := exec.CommandContext(t.Context(), path, append([]string{"--endpoint-url", a.url, "--output", "json"}, args...)...)
	ours := func(variable string) bool { return strings.HasPrefix(variable, "AWS_") }
	cmd.Env = append(slices.DeleteFunc(os.Environ(), ours), "AWS_ACCESS_KEY_ID=any", "AWS_SECRET_ACCESS_KEY=any", "AWS_DEFAULT_REGION=us-east-1",
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull, "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=", "AWS_MAX_ATTEMPTS=1")
	var said strings.Builder
	cmd.Stderr = &said
	text, err := cmd.Output()
	return string(text), said.String(), err
}

func TestTheAWSCLIInvokesAndDescribesFunctions(t *testing.T) {
	f := start(t, named(t, "rotate"))
	functions := []*local.Function{f}
	for i := range 59 {
		functions = append(functions, local.DeclareFunction(local.FunctionConfig{Name: fmt.Sprint("theirs", i), Runtime: "python3.9"}))
	}
	a := serveFunctions(t, functions...)
	event, answer := filepath.Join(t.TempDir(), "event"), filepath.Join(t.TempDir(), "answer")
	var out struct {
		StatusCode    int
		FunctionError string
	}
	for _, test := range []struct{ event, want, failure string }{
		{`{"a": 1}`, `{"a": 1}`, ""},
		{`"panic"`, `{"errorMessage":"boom","errorType":"string","stackTrace":[{"line":7}]}`, "Unhandled"},
	} {
		if err := os.WriteFile(event, []byte(test.event), 0o600); err != nil {
			t.Fatal(err)
		}
		out.FunctionError = ""
		said, err := a.cli(t, &out, "lambda", "invoke", "--function-name", f.ARN(), "--payload", "fileb://"+event, answer)
		if err != nil || out.StatusCode != 200 || out.FunctionError != test.failure {
			t.Fatalf("got %+v, %v: %s", out, err, said)
		}
		if got := must(os.ReadFile(answer))(t); string(got) != test.want {
			t.Errorf("%s was answered %s", test.event, got)
		}
	}
	var names []string
	if said, err := a.cli(t, &names, "lambda", "list-functions", "--query", "Functions[].FunctionName"); err != nil || len(slices.Compact(names)) != 60 {
		t.Errorf("listed %d: %v: %s", len(names), err, said)
	}
	if said, err := a.cli(t, nil, "lambda", "get-function", "--function-name", "none"); err == nil || !strings.Contains(said, "ResourceNotFoundException") || !strings.Contains(said, "Function not found: arn:") {
		t.Errorf("of a function that is not there it said %q, %v", said, err)
	}
}

// TestTheAWSCLIDoesAllOperations has another maker's client do each of the service's operations, and read each reply.
func TestTheAWSCLIDoesAllOperations(t *testing.T) {
	a := account{service: serve(t, local.Options{Invoke: local.InvokerFunc(func(context.Context, string, []byte) error { return nil })})}
	policy := allow("arn:aws:iam::123456789012:root")
	one, two := token("one"), token("two")
	done := map[string]bool{}
	for _, step := range []struct{ command, want string }{
		{"create-secret --name n --secret-string v --description words --tags Key=k,Value=v --add-replica-regions Region=eu-west-1 --client-request-token " + one, `InSync`},
		{"describe-secret --secret-id n", `us-east-1`},
		{"put-secret-value --secret-id n --secret-string w --version-stages AWSPENDING --client-request-token " + two, `AWSPENDING`},
		{"update-secret-version-stage --secret-id n --version-stage AWSCURRENT --remove-from-version-id " + one + " --move-to-version-id " + two, `"n"`},
		{"get-secret-value --secret-id n", `"w"`},
		{"batch-get-secret-value --secret-id-list n none", `ResourceNotFoundException`},
		{"list-secret-version-ids --secret-id n", `DefaultEncryptionKey`},
		{"list-secrets --filters Key=description,Values=word", `"n"`},
		{"update-secret --secret-id n --description other", `"n"`},
		{"tag-resource --secret-id n --tags Key=l,Value=w", ``},
		{"untag-resource --secret-id n --tag-keys k", ``},
		{"validate-resource-policy --resource-policy " + policy, `true`},
		{"put-resource-policy --secret-id n --block-public-policy --resource-policy " + policy, `"n"`},
		{"get-resource-policy --secret-id n", `arn:aws:iam::123456789012:root`},
		{"delete-resource-policy --secret-id n", `"n"`},
		{"replicate-secret-to-regions --secret-id n --add-replica-regions Region=eu-west-2", `eu-west-2`},
		{"stop-replication-to-replica --secret-id n --region eu-west-2", `eu-west-2`},
		{"remove-regions-from-replication --secret-id n --remove-replica-regions eu-west-1", `[]`},
		{"rotate-secret --secret-id n --rotation-lambda-arn f --rotation-rules AutomaticallyAfterDays=30 --no-rotate-immediately", `VersionId`},
		{"cancel-rotate-secret --secret-id n", `"n"`},
		{"get-random-password --password-length 40", `RandomPassword`},
		{"delete-secret --secret-id n --recovery-window-in-days 7", `DeletionDate`},
		{"restore-secret --secret-id n", `"n"`},
	} {
		words := strings.Fields(step.command)
		if before, _, found := strings.Cut(step.command, " {"); found { // a policy is one argument
			words = append(strings.Fields(before), policy)
		}
		text, said, err := a.run(t, append([]string{"secretsmanager"}, words...)...)
		if err != nil || !strings.Contains(text, step.want) {
			t.Errorf("aws secretsmanager %s: %v: %s%s", step.command, err, text, said)
		}
		done[strings.ReplaceAll(words[0], "-", "")] = true
	}
	for operation := range readServiceModel(t).Operations {
		if !done[strings.ToLower(operation)] {
			t.Errorf("the AWS CLI did no %s", operation)
		}
	}
}
