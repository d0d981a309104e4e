package main_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	rotor "github.com/seed492efc12/rotor/cmd/rotor"
	"github.com/seed492efc12/rotor/framework/serve"
	"github.com/seed492efc12/rotor/internal/fleet"
	"github.com/seed492efc12/rotor/local/functiontest"
)

// oddPassword has to be escaped wherever it is written.
const oddPassword = `wr0ng " ' \ <password> é%&`

// A watch runs rotor in a home of its own, and keeps all that it writes, opens, sends and looks like from outside.
type watch struct {
	*desk
	home   string
	logins map[string]string // each password that there was, and whose

	mu     sync.Mutex
	pid    int // of the rotor that runs; 0 for none
	looked int
	places map[string]*bytes.Buffer // what was seen, by where
	put    bytes.Buffer             // what PutSecretValue was sent, where values belong
	answer func(http.ResponseWriter)
	ended  map[string]map[int]bool // how each command has ended
}

func newWatch(t *testing.T) *watch {
	s := open(t, "eu-west-1")
	w := &watch{logins: map[string]string{}, places: map[string]*bytes.Buffer{}, ended: map[string]map[int]bool{}}
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	w.desk = &desk{stage: s, account: newAccount(t, map[string]*region{"eu-west-1": s.region}), e: s.engineOf(t, "postgres", "eu-west-1"), shell: newShell(t, map[string]*account{"default": {url: server.URL}})}
	for _, v := range w.env {
		if home, ok := strings.CutPrefix(v, "HOME="); ok {
			w.home = home
		}
	}
	for _, folder := range []string{"work", "tmp"} {
		if err := os.Mkdir(filepath.Join(w.home, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	w.env = append(w.env, "TMPDIR="+filepath.Join(w.home, "tmp"))
	return w
}

// keep notes what was seen somewhere. The caller has the lock.
func (w *watch) keep(place, text string) {
	if w.places[place] == nil {
		w.places[place] = new(bytes.Buffer)
	}
	w.places[place].WriteString(text + "\n")
}

// ServeHTTP keeps what rotor sends, and looks at rotor while that waits for the answer.
func (w *watch) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	w.mu.Lock()
	w.look()
	if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".PutSecretValue") {
		w.put.Write(body)
	} else {
		w.keep("a request", fmt.Sprintf("%s %v\n%s", r.URL, r.Header, body))
	}
	answer := w.answer
	w.mu.Unlock()
	if answer != nil && strings.HasSuffix(r.URL.Path, "/invocations") {
		answer(rw)
		return
	}
	w.account.ServeHTTP(rw, r)
}

// look reads what anybody on the machine may see of rotor and of what it started.
func (w *watch) look() {
	if runtime.GOOS != "linux" || w.pid == 0 {
		return
	}
	w.looked++
	for todo := []string{strconv.Itoa(w.pid)}; len(todo) > 0; todo = todo[1:] {
		proc := filepath.Join("/proc", todo[0])
		for _, file := range []string{"cmdline", "environ"} {
			text, _ := os.ReadFile(filepath.Join(proc, file)) // it may have ended
			w.keep("/proc/PID/"+file, strings.ReplaceAll(string(text), "\x00", "\n"))
		}
		children, _ := filepath.Glob(filepath.Join(proc, "task/*/children"))
		for _, file := range children {
			text, _ := os.ReadFile(file)
			todo = append(todo, strings.Fields(string(text))...)
		}
		files, _ := filepath.Glob(filepath.Join(proc, "fd/*"))
		for _, file := range files {
			info, _ := os.ReadFile(filepath.Join(proc, "fdinfo", filepath.Base(file)))
			if to, err := os.Readlink(file); err == nil && writable(string(info)) {
				w.keep("files open for writing", to)
			}
		}
	}
}

// writable reads the flags of an open file. Source: proc_pid_fdinfo(5).
func writable(info string) bool {
	_, flags, _ := strings.Cut(info, "flags:\t")
	flags, _, _ = strings.Cut(flags, "\n")
	n, err := strconv.ParseInt(flags, 8, 64)
	return err == nil && n&int64(os.O_WRONLY|os.O_RDWR) != 0
}

// runs runs a command, and wants its exit status and a text in what it wrote.
func (w *watch) runs(t *testing.T, status int, says, command string, args ...string) {
	t.Helper()
	var out, stderr bytes.Buffer
	args = append(strings.Fields(command), args...)
	cmd := exec.CommandContext(t.Context(), w.path, args...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = w.env, filepath.Join(w.home, "work"), &out, &stderr
	w.mu.Lock()
	err := cmd.Start()
	if err == nil {
		w.pid = cmd.Process.Pid
	}
	w.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // the status tells
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pid = 0
	w.keep("stdout", out.String())
	w.keep("stderr", stderr.String())
	if w.ended[command] == nil {
		w.ended[command] = map[int]bool{}
	}
	got := cmd.ProcessState.ExitCode()
	w.ended[command][got] = true
	if got != status || !strings.Contains(out.String()+stderr.String(), says) {
		t.Errorf("rotor %s: status %d, want %d and %q\n%s%s", strings.Join(args, " "), got, status, says, out.String(), stderr.String())
	}
}

// remember keeps the passwords that the secret has now.
func (w *watch) remember(t *testing.T, name string) {
	t.Helper()
	for _, label := range []string{"AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"} {
		out, err := w.client.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &name, VersionStage: &label})
		if err != nil {
			continue // it has no such version
		}
		var value struct{ Username, Password string }
		if json.Unmarshal([]byte(aws.ToString(out.SecretString)), &value) == nil && value.Password != "" {
			w.logins[value.Password] = value.Username
		}
	}
}

// search looks for each password, and for what would let somebody in as well, wherever rotor has left something.
func (w *watch) search(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(w.home, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		w.keep("the file "+strings.TrimPrefix(path, w.home), path+"\n"+string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for group, text := range w.logs.groups {
		w.keep("the log "+group, text.String())
	}
	var wanted []string
	for password, user := range w.logins {
		once := sha1.Sum([]byte(password))
		wanted = append(wanted, password, fmt.Sprintf("%x", md5.Sum([]byte(password+user))), fmt.Sprintf("%X", sha1.Sum(once[:])))
	}
	if len(functiontest.Find(w.put.String(), wanted...)) == 0 {
		t.Error("the search does not find what PutSecretValue was sent")
	}
	searched := 0
	for place, text := range w.places {
		searched += text.Len()
		for _, line := range functiontest.Find(text.String(), wanted...) {
			t.Errorf("a password is in %s: %s", place, strings.TrimSpace(line))
		}
		if strings.Contains(text.String(), "SCRAM-SHA-256$") {
			t.Errorf("a verifier is in %s", place)
		}
	}
	if runtime.GOOS == "linux" && w.looked < 50 {
		t.Errorf("rotor was looked at %d times", w.looked)
	}
	t.Logf("%d passwords, %d bytes searched in %d places, looked at %d times", len(w.logins), searched, len(w.places), w.looked)
}

// No command shows, sends or writes a password, however it ends; and none steers the terminal. A command that is new needs scenes here.
func TestNoCommandShowsAPassword(t *testing.T) {
	w := newWatch(t)
	w.logins[oddPassword] = "nobody"
	w.logins[fmt.Sprint(w.e.server.Administrator["password"])] = fmt.Sprint(w.e.server.Administrator["username"])
	for _, scene := range []struct {
		name string
		run  func(*watch, *testing.T)
	}{
		{"healthy", (*watch).healthy}, {"wrong-password", (*watch).wrongPassword}, {"unreachable", (*watch).unreachable}, {"untrusted", (*watch).untrusted},
		{"malformed", (*watch).malformed}, {"binary", (*watch).binary}, {"deleted", (*watch).deleted}, {"not-rotors", (*watch).notRotors},
		{"denied", (*watch).denied}, {"throttled", (*watch).throttled}, {"hostile", (*watch).hostile}, {"merged", (*watch).merged},
		{"alternating", (*watch).alternating}, {"migrated", (*watch).migrated},
	} {
		t.Run(scene.name, func(t *testing.T) {
			w.secret(t, scene.name)
			w.remember(t, w.name)
			scene.run(w, t)
			w.remember(t, w.name)
		})
	}
	w.search(t)
	for _, command := range rotor.Commands() {
		if ended := w.ended[command]; !ended[exitWell] || len(ended) < 2 {
			t.Errorf("rotor %s: no scene ends well, or none ends otherwise: %v", command, ended)
		}
	}
	for _, place := range []string{"stdout", "stderr"} {
		if i := strings.IndexFunc(w.places[place].String(), func(r rune) bool { return !unicode.IsPrint(r) && r != '\n' && r != '\t' }); i >= 0 {
			t.Errorf("%s steers the terminal: %q", place, w.places[place].String()[i:min(i+40, w.places[place].Len())])
		}
	}
	for to := range strings.Lines(w.places["files open for writing"].String()) {
		to = strings.TrimSuffix(to, "\n")
		if !strings.HasPrefix(to, w.home) && !slices.ContainsFunc([]string{"socket:", "pipe:", "anon_inode:", "/dev/null"}, func(p string) bool { return strings.HasPrefix(to, p) }) {
			t.Errorf("rotor writes to %s", to)
		}
	}
}

// fails runs each command that asks the secret's function, and wants check's exit status and text. A rotation would not end.
func (w *watch) fails(t *testing.T, status int, says string) {
	t.Helper()
	w.runs(t, status, says, "check", w.name)
	w.runs(t, status, says, "plan", w.name)
	w.runs(t, status, says[:0], "plan", w.name, "-o", "json")
	w.runs(t, status, says, "rotate", w.name, "--wait", "1s")
}

func (w *watch) healthy(t *testing.T) {
	for _, output := range []string{"table", "json", "csv", "html"} {
		w.runs(t, exitWell, w.name, "status", "-o", output, w.name)
		w.runs(t, exitWell, w.name, "status", "--why", "-o", output, w.name)
	}
	w.runs(t, exitUsage, "unknown output", "status", "-o", "pdf")
	w.runs(t, exitWell, "will succeed", "check", w.name)
	w.runs(t, exitWell, "<new password>", "plan", w.name)
	w.runs(t, exitWell, "<new password>", "plan", w.name, "-o", "json")
	w.runs(t, exitWell, "rotated in", "rotate", w.name)
	w.runs(t, exitWell, "no rotation is under way", "recover", w.name)
	w.runs(t, exitWell, "will succeed", "check", w.name, "--direct")
	w.runs(t, exitWell, "<new password>", "plan", w.name, "--direct", "-o", "json")
	w.runs(t, exitWell, "no rotation is under way", "recover", w.name, "--direct")
	w.runs(t, exitWell, "MissingPrivilege", "explain")
	w.runs(t, exitUsage, "no class", "explain", "Nothing")
	w.runs(t, exitWell, serve.Version, "version")
	w.runs(t, exitUsage, "unknown", "version", "--password")
	w.runs(t, exitWell, "Usage", "help", "status")
	w.runs(t, exitUsage, "", "help", "--nothing")
	for _, s := range []string{"bash", "zsh", "fish", "powershell"} {
		w.runs(t, exitWell, "rotor", "completion", s)
		w.runs(t, exitUsage, "", "completion", s, "--nothing")
	}
	w.runs(t, exitWell, "recover", "__complete", "rec")
	w.runs(t, exitWell, "", "__complete", "check", "")
	w.runs(t, exitWell, "<new password>", "plan", w.name, "--direct")
}

func (w *watch) wrongPassword(t *testing.T) {
	w.edit(t, "password", "not-the-password")
	w.edit(t, "password", oddPassword)
	w.remember(t, w.name)
	w.fails(t, exitAct, "LoginRefused")
	w.runs(t, exitAct, "LoginRefused", "check", w.name, "--direct")
	w.runs(t, exitAct, "LoginRefused", "recover", w.name)
	w.runs(t, exitAct, "LoginRefused", "recover", w.name, "--direct")
	w.runs(t, exitAct, "LoginRefused", "recover", w.name, "--yes")
	w.runs(t, exitWell, "LoginRefused", "status", "--why", w.name) // a rotation that began just now is not stuck yet
}

func (w *watch) unreachable(t *testing.T) {
	w.edit(t, "port", "2")
	w.fails(t, exitAct, "Unreachable")
	w.runs(t, exitUnknown, "Unreachable", "check", w.name, "--direct")
	w.runs(t, exitUnknown, "could not be told", "recover", w.name, "--yes")
}

func (w *watch) untrusted(t *testing.T) {
	w.edit(t, "tlsServerName", "elsewhere.example")
	w.fails(t, exitAct, "TLS")
	w.runs(t, exitAct, "TLS", "check", w.name, "--direct")
	w.runs(t, exitUnknown, "could not be told", "recover", w.name, "--yes")
}

// write gives the secret another value.
func (w *watch) write(t *testing.T, in *secretsmanager.PutSecretValueInput) {
	t.Helper()
	in.SecretId = &w.name
	if _, err := w.client.PutSecretValue(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}

func (w *watch) malformed(t *testing.T) {
	password := fmt.Sprint(w.value(t, "AWSCURRENT")["password"])
	for _, text := range []string{password, `{"password":"` + password, `{"username":["` + password + `"],"password":{"x":"` + password + `"}}`} {
		w.write(t, &secretsmanager.PutSecretValueInput{SecretString: &text})
		w.runs(t, exitAct, "BadSecret", "check", w.name)
		w.runs(t, exitAct, "BadSecret", "plan", w.name, "-o", "json")
		w.runs(t, exitAct, "BadSecret", "recover", w.name)
	}
	w.fails(t, exitAct, "BadSecret")
	w.runs(t, exitAct, "BadSecret", "check", w.name, "--direct")
}

func (w *watch) binary(t *testing.T) {
	w.write(t, &secretsmanager.PutSecretValueInput{SecretBinary: []byte(fmt.Sprint(w.value(t, "AWSCURRENT")["password"]))})
	w.fails(t, exitAct, "BadSecret")
	w.runs(t, exitAct, "BadSecret", "check", w.name, "--direct")
	w.runs(t, exitAct, "BadSecret", "recover", w.name)
}

func (w *watch) deleted(t *testing.T) {
	if _, err := w.client.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: &w.name}); err != nil {
		t.Fatal(err)
	}
	w.runs(t, exitUnknown, "deletion", "check", w.name)
	w.runs(t, exitUnknown, "deletion", "plan", w.name)
	w.runs(t, exitUnknown, "deletion", "plan", w.name, "-o", "json")
	w.runs(t, exitUnknown, "deletion", "rotate", w.name, "--wait", "1s")
	w.runs(t, exitUnknown, "deletion", "recover", w.name, "--yes")
}

func (w *watch) notRotors(t *testing.T) {
	if err := w.rotate(t.Context(), w.name, w.declare("others", "Rotates.", "python3.12", "eu-west-1"), true); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"check", "plan", "recover"} {
		w.runs(t, exitUnknown, "not one of Rotor's", command, w.name)
	}
}

// denied refuses one call after the other.
func (w *watch) denied(t *testing.T) {
	commands := map[string][][]string{
		"check": {{"check", w.name}}, "recover": {{"recover", w.name, "--yes"}}, "rotate": {{"rotate", w.name}}, "status": {{"status"}},
		"migrate": {{"migrate", w.name, "--to", "rotor-postgres", "--back", "denied", "--yes"}},
		"direct":  {{"plan", w.name, "--direct"}, {"recover", w.name, "--direct"}},
	}
	for operation, denied := range map[string][]string{
		"DescribeSecret": {"check", "recover", "rotate", "migrate", "direct"}, "RotateSecret": {"rotate"}, "ListSecrets": {"status"}, "ListFunctions": {"status"},
		"Invoke": {"check", "recover"}, "GetFunctionConfiguration": {"migrate", "direct"}, "GetSecretValue": {"direct"},
	} {
		w.account.spoiling(t, func(called string, _ int) (string, string) {
			if called == operation {
				return "AccessDeniedException", "User: arn:aws:iam::123456789012:user/someone is not authorized to perform: x:" + operation + " on resource: y"
			}
			return "", ""
		})
		for _, command := range denied {
			for _, args := range commands[command] {
				w.runs(t, exitUnknown, "lack the permission", args[0], args[1:]...)
			}
		}
	}
}

func (w *watch) throttled(t *testing.T) {
	w.account.spoiling(t, func(string, int) (string, string) { return "ThrottlingException", "Rate exceeded" })
	w.runs(t, exitUnknown, "Rate exceeded", "check", w.name)
	w.runs(t, exitUnknown, "Rate exceeded", "status")
}

// hostile has the function answer otherwise than a function of Rotor's does.
func (w *watch) hostile(t *testing.T) {
	password := fmt.Sprint(w.value(t, "AWSCURRENT")["password"])
	answers := func(crash string, answer any) {
		text, err := json.Marshal(answer)
		if err != nil {
			t.Fatal(err)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.answer = func(rw http.ResponseWriter) {
			if crash != "" {
				rw.Header().Set("X-Amz-Function-Error", crash)
			}
			_, _ = rw.Write(text)
		}
	}
	for _, c := range []struct {
		crash  string
		answer any
	}{
		{"Unhandled", map[string]any{"errorType": "exit status 2", "errorMessage": "panic: " + password}},
		{"Unhandled", password},
		{"", password},
		{"", map[string]any{"password": password}},
		{"", map[string]any{"rotor": password, "secret": password}},
		{"", map[string]any{"rotor": 7, "failure": password}},
	} {
		answers(c.crash, c.answer)
		w.runs(t, exitUnknown, "not one of Rotor's", "check", w.name)
		w.runs(t, exitUnknown, "not one of Rotor's", "plan", w.name, "-o", "json")
		w.runs(t, exitUnknown, "not one of Rotor's", "recover", w.name)
	}
	// What rotor does not know, it does not repeat.
	answers("", map[string]any{"rotor": "plan", "secret": w.name, "value": password, "plan": map[string]any{"user": "app", "password": password, "statements": []string{"nothing"}}})
	w.runs(t, exitWell, "nothing", "plan", w.name)
	w.runs(t, exitWell, "nothing", "plan", w.name, "-o", "json")
	// A terminal takes no order from it.
	bad := "\x1b]0;title\a\x1b[2J\r\u202e\u009b31m"
	answers("", map[string]any{"rotor": "plan", "failure": map[string]any{"class": bad, "cause": bad, "remedy": bad}})
	w.runs(t, exitAct, `\u001b]0;title\u0007`, "check", w.name)
	w.runs(t, exitAct, `\u001b]0;title\u0007`, "plan", w.name)
	w.runs(t, exitAct, `\u001b]0;title\u0007`, "plan", w.name, "-o", "json")
	answers("", map[string]any{"rotor": "plan", "plan": map[string]any{"user": bad, "statements": []string{bad}, "gains": []string{bad}}, "notes": []any{map[string]any{"text": bad}}})
	w.runs(t, exitWell, `\u202e`, "plan", w.name, "-o", "json")
	w.runs(t, exitWell, `\u202e`, "plan", w.name)
	w.runs(t, exitWell, `\u202e`, "check", w.name)
	answers("", map[string]any{"rotor": "which", "labels": []any{map[string]any{"name": bad, "version": bad, "user": bad, "failure": map[string]any{"class": bad, "cause": bad}}}})
	w.runs(t, exitAct, `\u202e`, "recover", w.name)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answer = nil
}

func (w *watch) merged(t *testing.T) {
	w.unfinish(t)
	w.edit(t, "note", "of somebody")
	w.remember(t, w.name)
	w.runs(t, exitAct, "AWSPENDING's password", "recover", w.name)
	w.runs(t, exitWell, "Done", "recover", w.name, "--yes")
	w.lives(t)
}

func (w *watch) alternating(t *testing.T) {
	f := w.start(t, w.e, "rotor-two", "eu-west-1", map[string]string{"ROTATION_STRATEGY": "alternating-users"})
	w.invoked.Add(f)
	w.lambda.Add(f)
	if err := w.create(t.Context(), "administrator", w.e.server.Administrator, fleet.Unrotated); err != nil {
		t.Fatal(err)
	}
	d, err := w.client.DescribeSecret(context.WithoutCancel(t.Context()), &secretsmanager.DescribeSecretInput{SecretId: aws.String("administrator")})
	if err != nil {
		t.Fatal(err)
	}
	w.edit(t, "masterarn", *d.ARN)
	w.runs(t, exitWell, "", "check", w.name) // by the function of one user
	if err := w.rotate(t.Context(), w.name, f.ARN(), true); err != nil {
		t.Fatal(err)
	}
	w.runs(t, exitWell, "_clone", "plan", w.name)
	w.runs(t, exitWell, "_clone", "plan", w.name, "-o", "json")
	w.runs(t, exitWell, "rotated in", "rotate", w.name)
	w.remember(t, w.name)
	w.runs(t, exitWell, "works", "recover", w.name)
	w.edit(t, "masterarn", w.name) // who administers nobody
	w.fails(t, exitAct, "")
}

func (w *watch) migrated(t *testing.T) {
	theirs := w.declare("SecretsManagerRDSPostgreSQLRotationSingleUser", "Conducts an AWS SecretsManager secret rotation for RDS PostgreSQL using single user rotation scheme", "python3.12", "eu-west-1")
	if err := w.rotate(t.Context(), w.name, theirs, true); err != nil {
		t.Fatal(err)
	}
	to := []string{w.name, "--to", "rotor-postgres", "--back", "back"}
	w.runs(t, exitAct, "--yes", "migrate", to...)
	w.runs(t, exitWell, "Sent would be", "migrate", append(to, "--yes")...)
	w.runs(t, exitWell, "rotated in", "rotate", w.name)
	w.runs(t, exitWell, "rotates it again", "migrate", "--undo", "back")
	w.edit(t, "password", "not-the-password")
	w.edit(t, "password", oddPassword)
	w.runs(t, exitAct, "is attached again", "migrate", append(to, "--yes")...)
}
