package main_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/serve"
	"github.com/seed492efc12/rotor/internal/fleet"
)

// noise is what the SDK says around an error, and no operator needs.
var noise = []string{"operation error", "https response error", "failed to", "get identity", "StatusCode", "IMDS"}

// fails runs rotor, and wants a failure in plain words, with what to do.
func (s *shell) fails(t *testing.T, status int, says []string, args ...string) {
	t.Helper()
	out, stderr, got := s.run(t, args...)
	if got != status || out != "" {
		t.Errorf("rotor %s: status %d, want %d; %q", strings.Join(args, " "), got, status, out)
	}
	for _, want := range says {
		if !strings.Contains(stderr, want) {
			t.Errorf("rotor %s: %q is missing in\n%s", strings.Join(args, " "), want, stderr)
		}
	}
	for _, n := range noise {
		if strings.Contains(stderr, n) {
			t.Errorf("rotor %s: %q is in\n%s", strings.Join(args, " "), n, stderr)
		}
	}
}

// configuration is somebody's, with mistakes.
const configuration = `
[profile sso]
sso_session = corp
sso_account_id = 123456789012
sso_role_name = operator
region = eu-west-1
[sso-session corp]
sso_region = eu-west-1
sso_start_url = https://corp.example/start
[profile oldsso]
sso_account_id = 123456789012
sso_role_name = operator
sso_region = eu-west-1
sso_start_url = https://corp.example/start
region = eu-west-1
[profile orphan]
role_arn = arn:aws:iam::123456789012:role/operator
source_profile = nobody
region = eu-west-1
[profile role]
role_arn = arn:aws:iam::123456789012:role/operator
source_profile = nowhere
region = eu-west-1
[profile half]
aws_access_key_id = local
region = eu-west-1
[profile process]
credential_process = false
region = eu-west-1
[profile nowhere]
aws_access_key_id = local
aws_secret_access_key = local
`

// What keeps rotor from getting to AWS is said in plain words, with what to do.
func TestWhatKeepsFromAWSIsSaidPlainly(t *testing.T) {
	refuses := httptest.NewServer(nil)
	refuses.Close()
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	untrusted.StartTLS()
	defer untrusted.Close()
	sts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `<ErrorResponse><Error><Code>AccessDenied</Code><Message>Said by STS.</Message></Error></ErrorResponse>`)
	}))
	defer sts.Close()
	keys := []string{"AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local", "AWS_REGION=eu-west-1", "AWS_MAX_ATTEMPTS=1"}
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	of := func(profile string) []string { return []string{"AWS_CONFIG_FILE=" + file, "AWS_PROFILE=" + profile} }
	for name, c := range map[string]struct {
		env    []string
		status int
		says   []string
	}{
		"no region":            {nil, exitUsage, []string{"no region", "--region", "AWS_REGION"}},
		"a profile without":    {of("nowhere"), exitUsage, []string{"no region"}},
		"no credentials":       {[]string{"AWS_REGION=eu-west-1"}, exitUnknown, []string{"no credentials were found", "aws sso login", "--profile"}},
		"no such profile":      {of("nobody"), exitUnknown, []string{`no profile "nobody"`, "list-profiles"}},
		"SSO":                  {of("sso"), exitUnknown, []string{"login by SSO has ended", "aws sso login"}},
		"SSO without session":  {of("oldsso"), exitUnknown, []string{"login by SSO has ended", "aws sso login"}},
		"a role of nobody":     {of("orphan"), exitUnknown, []string{"role/operator", "taken from the profile \"nobody\"", "source_profile"}},
		"a role is refused":    {append(of("role"), "AWS_ENDPOINT_URL_STS="+sts.URL), exitUnknown, []string{"STS: AssumeRole: Said by STS.", "lack the permission sts:AssumeRole\n"}},
		"half a key":           {of("half"), exitUnknown, []string{"half", "partial credentials"}},
		"a process fails":      {of("process"), exitUnknown, []string{"no credentials: ", "exit status 1", "get-caller-identity"}},
		"nothing listens":      {append(keys, "AWS_ENDPOINT_URL="+refuses.URL), exitUnknown, []string{"cannot be reached: ", "refused", "AWS_ENDPOINT_URL"}},
		"no address":           {append(keys, "AWS_ENDPOINT_URL=http://aws.invalid"), exitUnknown, []string{"aws.invalid has no address", "region", "online"}},
		"not trusted":          {append(keys, "AWS_ENDPOINT_URL="+untrusted.URL), exitUnknown, []string{"is not trusted", "AWS_CA_BUNDLE"}},
		"a proxy is not there": {append(keys, "HTTPS_PROXY="+strings.Replace(refuses.URL, "//", "//me:for-you@", 1)), exitUnknown, []string{"the proxy does not let calls through: ", "refused", "HTTPS_PROXY"}},
	} {
		t.Run(name, func(t *testing.T) {
			env := append([]string{"AWS_EC2_METADATA_DISABLED=true"}, c.env...)
			sh := newShell(t, nil, env...)
			sh.env = slices.Concat(sh.env, env) // the last one counts
			sh.fails(t, c.status, c.says, "status")
			if _, stderr, _ := sh.run(t, "check", "app"); strings.Contains(stderr, "for-you") {
				t.Errorf("a proxy's password is shown: %s", stderr)
			}
		})
	}
}

// Without a home there is no configuration, and the environment is enough.
func TestAHomeIsNotNeeded(t *testing.T) {
	a := newAccount(t, map[string]*region{"eu-west-1": open(t, "eu-west-1").region})
	sh := newShell(t, nil)
	sh.env = []string{"AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local", "AWS_REGION=eu-west-1", "AWS_ENDPOINT_URL=" + a.url}
	if out, stderr, status := sh.run(t, "status"); out != "0 secrets: none\n" || stderr != "" || status != exitWell {
		t.Errorf("status %d, %q, %s", status, out, stderr)
	}
}

// What AWS answers in place of a result is said in plain words, with what to do.
func TestWhatAWSRefusesIsSaidPlainly(t *testing.T) {
	s := open(t, "eu-west-1")
	arn := s.declare("rotor-many", "Rotor "+serve.Version+": rotates secrets of nothing.", "provided.al2023", "eu-west-1")
	for _, name := range []string{"app", "app2"} {
		if err := s.create(t.Context(), name, map[string]any{"key": "value"}, fleet.OK); err != nil {
			t.Fatal(err)
		}
		if err := s.rotate(t.Context(), name, arn, false); err != nil {
			t.Fatal(err)
		}
	}
	a := newAccount(t, map[string]*region{"eu-west-1": s.region})
	sh := newShell(t, map[string]*account{"default": a}, "AWS_MAX_ATTEMPTS=1")
	for code, says := range map[string][]string{
		"ExpiredTokenException":       {"credentials have expired", "aws sso login"},
		"UnrecognizedClientException": {"does not know these credentials", "region switched on"},
		"InvalidSignatureException":   {"Said by AWS.", "clock"},
		"ThrottlingException":         {"Said by AWS.", "wait a minute"},
		"InternalServiceError":        {"Said by AWS.", "run it again"},
		"InvalidRequestException":     {"Secrets Manager: ListSecrets: Said by AWS. (InvalidRequestException)"},
	} {
		t.Run(code, func(t *testing.T) {
			a.spoiling(t, func(string, int) (string, string) { return code, "Said by AWS." })
			sh.fails(t, exitUnknown, append(says, "rotor: eu-west-1: "), "status")
		})
	}
	for args, actions := range map[string]string{
		"check app":                   "secretsmanager:DescribeSecret lambda:InvokeFunction",
		"plan app":                    "secretsmanager:DescribeSecret lambda:InvokeFunction",
		"recover app":                 "secretsmanager:DescribeSecret lambda:InvokeFunction",
		"rotate app":                  "secretsmanager:DescribeSecret secretsmanager:RotateSecret",
		"rotate app*":                 "secretsmanager:ListSecrets lambda:ListFunctions",
		"migrate app --to rotor-many": "secretsmanager:DescribeSecret lambda:GetFunctionConfiguration",
		"status":                      "secretsmanager:ListSecrets lambda:ListFunctions",
	} {
		for action := range strings.FieldsSeq(actions) {
			t.Run(args+" without "+action, func(t *testing.T) {
				a.spoiling(t, func(operation string, _ int) (string, string) {
					if _, of, _ := strings.Cut(action, ":"); operation == of || operation+"Function" == of {
						return "AccessDeniedException", ""
					}
					return "", ""
				})
				sh.fails(t, exitUnknown, []string{"lack the permission " + action + "\n"}, strings.Fields(args)...)
			})
		}
	}
	t.Run("no such secret", func(t *testing.T) {
		for _, command := range []string{"check", "plan", "recover", "rotate"} {
			sh.fails(t, exitUnknown, []string{`no secret "none" in eu-west-1`, "What to do: ", "--region"}, command, "none")
		}
		sh.fails(t, exitUnknown, []string{"no secret with a rotation matches none*, nor* in eu-west-1"}, "rotate", "none*", "nor*")
	})
	t.Run("no such function", func(t *testing.T) {
		sh.fails(t, exitUnknown, []string{"Lambda: GetFunctionConfiguration: ", "What to do: "}, "migrate", "app", "--to", "nothing")
	})
}
