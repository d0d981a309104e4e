package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed492efc12/rotor/local"
)

// An account is what one set of credentials sees: a stand-in for Secrets Manager and
// one for Lambda in each region, and an imitation of CloudWatch's logs. It counts
// the calls, and may refuse some.
type account struct {
	url     string
	regions map[string]*region

	mu    sync.Mutex
	calls map[string]int // by operation
	// spoil, if it is set, answers a call in the service's place, with a code.
	spoil func(operation string, n int) (code, message string)
}

type region struct {
	secrets *local.SecretsManager
	lambda  *local.Functions // those that are listed, which may be fewer than those that were invoked
	// What only the services can set, by the secrets' names: whose they are, and where the primaries of replicas are.
	owners, primaries map[string]string
	logs              *journal
}

func newAccount(t *testing.T, regions map[string]*region) *account {
	a := &account{regions: regions, calls: map[string]int{}}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	a.url = server.URL
	return a
}

// scope finds the region in a signature.
var scope = regexp.MustCompile(`Credential=[^/]+/\d+/([a-z0-9-]+)/`)

func (a *account) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m := scope.FindStringSubmatch(r.Header.Get("Authorization"))
	if m == nil || a.regions[m[1]] == nil {
		http.Error(w, "no such region", http.StatusBadRequest)
		return
	}
	here := a.regions[m[1]]
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	lambda := strings.HasPrefix(r.URL.Path, "/2015-03-31/functions")
	if lambda {
		operation = map[string]string{"invocations": "Invoke", "configuration": "GetFunctionConfiguration", "functions": "ListFunctions"}[path.Base(strings.TrimSuffix(r.URL.Path, "/"))]
	}
	if code, message := a.count(operation); code != "" {
		w.Header().Set("X-Amzn-ErrorType", code)
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"__type":%q,"message":%q}`, code, message)
		return
	}
	if lambda {
		here.lambda.ServeHTTP(w, r)
		return
	}
	switch operation {
	case "StartQuery", "GetQueryResults":
		here.logs.serve(w, r, operation)
	case "ListSecrets":
		here.amended(w, r, func(out map[string]any) {
			for _, e := range out["SecretList"].([]any) {
				here.amend(e.(map[string]any))
			}
		})
	case "DescribeSecret":
		here.amended(w, r, here.amend)
	default:
		here.secrets.ServeHTTP(w, r)
	}
}

func (a *account) count(operation string) (code, message string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls[operation]++
	if a.spoil != nil {
		return a.spoil(operation, a.calls[operation])
	}
	return "", ""
}

// counted returns the calls since the last time.
func (a *account) counted() map[string]int {
	a.mu.Lock()
	defer a.mu.Unlock()
	calls := a.calls
	a.calls = map[string]int{}
	return calls
}

// spoiling answers some calls in the services' place while a test runs.
func (a *account) spoiling(t *testing.T, spoil func(operation string, n int) (code, message string)) {
	set := func(f func(string, int) (string, string)) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.spoil, a.calls = f, map[string]int{}
	}
	set(spoil)
	t.Cleanup(func() { set(nil) })
}

// amend adds to a secret's description what only the services can set.
func (r *region) amend(secret map[string]any) {
	name := secret["Name"].(string)
	for field, of := range map[string]map[string]string{"OwningService": r.owners, "PrimaryRegion": r.primaries} {
		if text := of[name]; text != "" {
			secret[field] = text
		}
	}
}

// amended has an answer amended, if it is one.
func (r *region) amended(w http.ResponseWriter, q *http.Request, amend func(out map[string]any)) {
	answer := httptest.NewRecorder()
	r.secrets.ServeHTTP(answer, q)
	var out map[string]any
	if err := json.Unmarshal(answer.Body.Bytes(), &out); err == nil && answer.Code == http.StatusOK {
		amend(out)
		answer.Body = new(bytes.Buffer)
		_ = json.NewEncoder(answer.Body).Encode(out)
	}
	answer.Header().Set("Content-Length", fmt.Sprint(answer.Body.Len()))
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = io.Copy(w, answer.Body)
}

// A journal keeps what functions write, by log group, and answers rotor's one query
// as Insights is documented to: of the lines that are JSON, those that the filter
// takes, the newest of each secret and subject, all values as text.
type journal struct {
	mu     sync.Mutex
	groups map[string]*bytes.Buffer
	at     func(time.Time) time.Time // what the services' clock said at a time
	slow   bool                      // no query ends
}

// of is where a function writes.
func (j *journal) of(group string) io.Writer { return writer{j, group} }

type writer struct {
	journal *journal
	group   string
}

func (w writer) Write(p []byte) (int, error) {
	j := w.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.groups == nil {
		j.groups = map[string]*bytes.Buffer{}
	}
	if j.groups[w.group] == nil {
		j.groups[w.group] = new(bytes.Buffer)
	}
	return j.groups[w.group].Write(p)
}

func (j *journal) serve(w http.ResponseWriter, r *http.Request, operation string) {
	var in struct{ LogGroupName, QueryString, QueryId string }
	_ = json.NewDecoder(r.Body).Decode(&struct {
		LogGroupName *string `json:"logGroupName"`
		QueryString  *string `json:"queryString"`
		QueryId      *string `json:"queryId"`
	}{&in.LogGroupName, &in.QueryString, &in.QueryId})
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if operation == "StartQuery" {
		_ = json.NewEncoder(w).Encode(map[string]string{"queryId": in.LogGroupName})
		return
	}
	if j.slow {
		_ = json.NewEncoder(w).Encode(map[string]any{"status": "Running"})
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"status": "Complete", "results": j.results(in.QueryId)})
}

type field struct {
	Field string `json:"field"`
	Value string `json:"value"`
}

func (j *journal) results(group string) [][]field {
	j.mu.Lock()
	defer j.mu.Unlock()
	results := [][]field{}
	if j.groups[group] == nil {
		return results
	}
	lines := strings.Split(strings.TrimSuffix(j.groups[group].String(), "\n"), "\n")
	seen := map[string]bool{}
	for i, line := range slices.Backward(lines) {
		var l struct {
			Rotation                                    struct{ Step, Secret, Version string }
			Class, Cause, Remedy, Secret, Step, Version string
			Failures                                    *float64
			CertificateDaysToExpiry                     *float64
			Timestamp                                   time.Time
			Metrics                                     *struct{ Timestamp int64 } `json:"_aws"`
		}
		if json.Unmarshal([]byte(line), &l) != nil {
			continue
		}
		metric := l.Metrics != nil // whose Class is not class to Insights
		secret, about := l.Rotation.Secret, l.Class
		if metric {
			secret, about, l.Timestamp = l.Secret, l.Version, time.UnixMilli(l.Metrics.Timestamp)
		}
		if metric && l.Step != "testSecret" || secret == "" || about == "" || seen[secret+" "+about] {
			continue
		}
		seen[secret+" "+about] = true
		when := j.at(l.Timestamp)
		fields := []field{{"@timestamp", when.UTC().Format("2006-01-02 15:04:05.000")}, {"secret", secret}, {"about", about}, {"@ptr", fmt.Sprint(i)}}
		if metric {
			fields = append(fields, field{"Version", l.Version}, field{"Failures", fmt.Sprint(*l.Failures)})
			if d := l.CertificateDaysToExpiry; d != nil {
				fields = append(fields, field{"CertificateDaysToExpiry", fmt.Sprint(*d + l.Timestamp.Sub(when).Hours()/24)})
			}
		} else {
			fields = append(fields, field{"class", l.Class}, field{"cause", l.Cause}, field{"remedy", l.Remedy}, field{"step", l.Rotation.Step})
		}
		results = append(results, fields)
	}
	return results
}

// buildRotor builds the command, once.
var buildRotor = sync.OnceValues(func() (string, error) {
	test, err := os.Executable()
	if err != nil {
		return "", err
	}
	path := test + ".rotor"
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building rotor: %w\n%s", err, out)
	}
	return path, nil
})

// A shell runs rotor as somebody whose configuration has those profiles, and keeps
// all that it writes.
type shell struct {
	path string
	env  []string

	mu  sync.Mutex
	all bytes.Buffer
}

func newShell(t *testing.T, profiles map[string]*account, env ...string) *shell {
	t.Helper()
	path, err := buildRotor()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	var config, credentials strings.Builder
	for name, a := range profiles {
		section := "profile " + name
		if name == "default" {
			section = name
		}
		fmt.Fprintf(&config, "[%s]\nregion = eu-west-1\nendpoint_url = %s\n", section, a.url)
		fmt.Fprintf(&credentials, "[%s]\naws_access_key_id = local\naws_secret_access_key = local\n", name)
	}
	s := &shell{path: path, env: append([]string{"HOME=" + folder, "PATH=" + os.Getenv("PATH")}, env...)}
	for name, text := range map[string]string{"AWS_CONFIG_FILE": config.String(), "AWS_SHARED_CREDENTIALS_FILE": credentials.String()} {
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s.env = append(s.env, name+"="+file)
	}
	return s
}

// run runs rotor, and returns what it wrote and its exit status.
func (s *shell) run(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	var out, err bytes.Buffer
	cmd := exec.CommandContext(t.Context(), s.path, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = s.env, &out, &err
	if failed := cmd.Run(); cmd.ProcessState == nil {
		t.Fatal(failed)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all.WriteString(out.String() + err.String())
	return out.String(), err.String(), cmd.ProcessState.ExitCode()
}
