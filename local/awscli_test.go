package local_test

import (
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
	path, err := exec.LookPath("aws")
	if err != nil {
		t.Skip("not covered: there is no AWS CLI")
	}
	cmd := exec.CommandContext(t.Context(), path, append([]string{"--endpoint-url", a.url, "--output", "json"}, args...)...)
	ours := func(variable string) bool { return strings.HasPrefix(variable, "AWS_") }
	cmd.Env = append(slices.DeleteFunc(os.Environ(), ours), "AWS_ACCESS_KEY_ID=any", "AWS_SECRET_ACCESS_KEY=any", "AWS_DEFAULT_REGION=us-east-1",
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull, "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=", "AWS_MAX_ATTEMPTS=1")
	var said strings.Builder
	cmd.Stderr = &said
	text, err := cmd.Output()
	if err == nil && out != nil {
		if err := json.Unmarshal(text, out); err != nil {
			t.Errorf("%q printed %q: %v", args, text, err)
		}
	}
	return said.String(), err
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
