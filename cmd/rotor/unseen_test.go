package main_test

import (
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/seed492efc12/rotor/local"
	"github.com/seed492efc12/rotor/local/functiontest"
)

// unseenCommands are the command lines of each command. A command that has none fails the test.
func unseenCommands(name, file string) map[string][][]string {
	return map[string][][]string{
		"status":     {{"status", "--why"}, {"status", "--why", "-o", "json"}, {"status", "-o", "csv", "--all"}, {"status", "--why", "-o", "html"}},
		"check":      {{"check", name}},
		"plan":       {{"plan", name}, {"plan", name, "-o", "json"}},
		"rotate":     {{"rotate", name, "--wait", "2s"}},
		"recover":    {{"recover", name}, {"recover", name, "--yes"}},
		"migrate":    {{"migrate", name, "--to", "rotor-postgres"}, {"migrate", name, "--to", "rotor-postgres", "--back", file, "--yes", "--wait", "5s"}, {"migrate", "--undo", file}},
		"explain":    {{"explain"}, {"explain", "LoginRefused"}},
		"version":    {{"version"}},
		"completion": {{"completion", "bash"}, {"__complete", "check", ""}},
		"help":       {{"help", "recover"}},
	}
}

// A spot is a state of a secret, or of the services, in which each command runs.
type spot struct {
	name string
	make func(t *testing.T, d *desk)
	says string // in what is written by one of the commands at least
}

func spots(a *account) []spot {
	const wrong = `wr0ng " ' \ <password> %2B&`
	refuse := func(code, message string) func(*testing.T, *desk) {
		return func(t *testing.T, d *desk) {
			a.spoiling(t, func(string, int) (string, string) { return code, message })
		}
	}
	return []spot{
		{"well", func(*testing.T, *desk) {}, "rotated in"},
		{"edited meanwhile", func(t *testing.T, d *desk) { d.unfinish(t); d.edit(t, "note", "of somebody") }, "Done"},
		{"wrong password", func(t *testing.T, d *desk) { d.edit(t, "password", wrong); d.edit(t, "password", wrong+"2") }, "LoginRefused"},
		{"unreachable", func(t *testing.T, d *desk) { d.edit(t, "port", "2") }, "Unreachable"},
		{"another server's name", func(t *testing.T, d *desk) { d.edit(t, "tlsServerName", "another.example") }, "TLS"},
		{"malformed", func(t *testing.T, d *desk) {
			d.put(t, &secretsmanager.PutSecretValueInput{SecretString: aws.String(`{"password":"` + d.passwords[0] + `",`)})
		}, "Secret"},
		{"binary", func(t *testing.T, d *desk) {
			d.put(t, &secretsmanager.PutSecretValueInput{SecretBinary: []byte(`{"password":"` + d.passwords[0] + `"}`)})
		}, "Secret"},
		{"not Rotor's", func(t *testing.T, d *desk) {
			f := local.DeclareFunction(local.FunctionConfig{Name: "SecretsManagerSingleUser", Region: "eu-west-1", Runtime: "python3.12"})
			d.lambda.Add(f)
			if err := d.rotate(t.Context(), d.name, f.ARN(), true); err != nil {
				t.Fatal(err)
			}
		}, "not one of Rotor's"},
		{"denied", refuse("AccessDeniedException", "User is not authorized"), "AccessDenied"},
		{"throttled", refuse("ThrottlingException", "Rate exceeded"), "Throttling"},
		{"deleted", func(t *testing.T, d *desk) {
			if _, err := d.client.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: &d.name}); err != nil {
				t.Fatal(err)
			}
		}, "deletion"},
	}
}

func (d *desk) put(t *testing.T, in *secretsmanager.PutSecretValueInput) {
	t.Helper()
	in.SecretId = &d.name
	if _, err := d.client.PutSecretValue(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}

// Every command, in every state: no password is in what it writes, in the files that it leaves, or in what it sends to a
// function or to the logs. It starts no other program: there is none in its PATH.
func TestNoCommandShowsAPassword(t *testing.T) {
	s := open(t, "eu-west-1")
	a := newAccount(t, map[string]*region{"eu-west-1": s.region})
	home := t.TempDir()
	d := &desk{stage: s, e: s.engineOf(t, "postgres", "eu-west-1"), shell: newShell(t, map[string]*account{"default": a},
		"HOME="+home, "TMPDIR="+home, "PATH="+home, "AWS_MAX_ATTEMPTS=1")}
	d.dir = home
	commands := unseenCommands("", "")
	out, _, _ := d.run(t, "__complete", "")
	for line := range strings.Lines(out) {
		name, _, is := strings.Cut(line, "\t")
		if is && commands[name] == nil {
			t.Errorf("rotor %s has no scene here", name)
		}
	}
	searched := 0
	for i, p := range spots(a) {
		t.Run(p.name, func(t *testing.T) {
			d.secret(t, "unseen-"+string(rune('a'+i)))
			d.value(t, "AWSCURRENT")
			d.value(t, "AWSPREVIOUS")
			p.make(t, d)
			text := d.everyCommand(t, filepath.Join(home, d.name))
			if !strings.Contains(text, p.says) {
				t.Errorf("no command says %q:\n%s", p.says, text)
			}
			searched += d.unseen(t, map[string]string{"what was written": text, "the files": files(t, home), "what was sent": a.sent()})
		})
	}
	if searched == 0 {
		t.Error("nothing was searched")
	}
	t.Logf("%d bytes were searched for %d passwords", searched, len(d.passwords))
}

func (d *desk) everyCommand(t *testing.T, file string) string {
	var all strings.Builder
	commands := unseenCommands(d.name, file)
	for _, name := range []string{"status", "check", "plan", "migrate", "recover", "rotate", "explain", "version", "completion", "help"} {
		for _, args := range commands[name] {
			out, err, _ := d.run(t, args...)
			all.WriteString(out + err)
		}
	}
	return all.String()
}

// unseen searches texts for all passwords that the secret has and had.
func (d *desk) unseen(t *testing.T, places map[string]string) (searched int) {
	for _, label := range []string{"AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"} {
		out, err := d.client.GetSecretValue(context.WithoutCancel(t.Context()), &secretsmanager.GetSecretValueInput{SecretId: &d.name, VersionStage: &label})
		var value struct{ Password string }
		if err == nil && json.Unmarshal([]byte(aws.ToString(out.SecretString)), &value) == nil && value.Password != "" {
			d.passwords = append(d.passwords, value.Password)
		}
	}
	slices.Sort(d.passwords)
	d.passwords = slices.Compact(d.passwords)
	for place, text := range places {
		searched += len(text)
		for _, line := range functiontest.Find(text, d.passwords...) {
			t.Errorf("a password is in %s: %s", place, line)
		}
	}
	return searched
}

// files are the contents and the names of all files in a folder.
func files(t *testing.T, folder string) string {
	var all strings.Builder
	err := filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		all.WriteString(path + "\n" + string(text) + "\n")
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return all.String()
}
