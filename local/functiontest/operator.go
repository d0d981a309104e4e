package functiontest

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/local/rig"
)

// An office is a stage with an operator.
type office struct {
	*stage
	operator
	tally
	prints bool // the commands that rotor prints are run, in the place of its --yes
}

// A tally counts what was seen at the points.
type tally struct {
	cases, window int // and those of them in which AWSCURRENT could not work
	logins        int
	steps         map[string]int
}

func (a *tally) add(b tally) {
	a.cases, a.window, a.logins = a.cases+b.cases, a.window+b.window, a.logins+b.logins
	for step, n := range b.steps {
		a.steps[step] += n
	}
}

// An operator runs rotor.
type operator struct {
	path    string
	env     []string
	written bytes.Buffer
	last    string
}

// operating is the environment of rotor for the stand-in.
func operating(t *testing.T, r *rig.Rig) []string {
	t.Helper()
	home := t.TempDir()
	return []string{
		"HOME=" + home, "AWS_CONFIG_FILE=" + home + "/none", "AWS_SHARED_CREDENTIALS_FILE=" + home + "/none", "AWS_REGION=us-east-1",
		"AWS_ENDPOINT_URL=" + r.URL, "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local",
	}
}

// run returns what rotor wrote, and its exit status.
func (o *operator) run(t *testing.T, args ...string) (written string, status int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, o.path, args...)
	cmd.Env = o.env
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	o.last = fmt.Sprintf("rotor %s\n%s", strings.Join(args, " "), out)
	o.written.WriteString(o.last)
	return string(out), cmd.ProcessState.ExitCode()
}

// step asks what to do, which changes nothing, and does it.
func (o *office) step(t *testing.T, u *user, n int) (step string) {
	t.Helper()
	labels, values := u.state(t)
	for _, v := range values {
		if d, err := secret.Parse([]byte(v)); err == nil {
			o.passwords = append(o.passwords, d.Text("password"))
		}
	}
	said, status := o.run(t, "recover", u.arn)
	nowLabels, nowValues := u.state(t)
	if !maps.Equal(labels, nowLabels) || !maps.Equal(values, nowValues) {
		t.Error("rotor recover has changed the secret")
	}
	const nothing = "AWSCURRENT works, and no rotation is under way."
	if status == 0 && strings.Contains(said, nothing) {
		return "nothing"
	}
	if status == 2 && strings.Contains(said, "NotItsTwin") && u.forgot(t) {
		o.adopt(t, said)
		said, status = o.run(t, "recover", u.arn)
	}
	if status != 2 || !strings.Contains(said, "The safe step: ") || !strings.Contains(said, "rotor recover "+u.arn+" --yes") {
		t.Fatalf("step %d: rotor recover ends with %d and says\n%s", n+1, status, said)
	}
	o.does(t, u, said, labels["AWSPENDING"])
	_, step, _ = strings.Cut(said, "The safe step: ")
	return step[:strings.IndexAny(step, ",;:.")]
}

// does what rotor said: by the commands that it prints, if there are any, or by its --yes.
func (o *office) does(t *testing.T, u *user, said, pending string) {
	t.Helper()
	printed := regexp.MustCompile(`(?m)^  aws .*$`).FindAllString(said, -1)
	if o.prints && printed != nil {
		for _, command := range printed {
			if _, err := o.rig.Command(t.Context(), command); err != nil {
				t.Errorf("%s: %v", command, err)
			}
		}
		return
	}
	did, status := o.run(t, "recover", u.arn, "--yes")
	if status != 0 || !strings.Contains(did, "Done.") {
		t.Fatalf("rotor recover --yes ends with %d and says\n%s", status, did)
	}
	if strings.Contains(did, "The safe step: rotate again") {
		if err := o.rig.Wait(t.Context(), u.arn, pending); err != nil {
			t.Errorf("the rotation that was started: %v\n%s", err, did)
		}
	}
}
