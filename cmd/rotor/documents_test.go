package main_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed492efc12/rotor/internal/fleet"
	"github.com/seed492efc12/rotor/local"
)

// documents show what rotor says, in the order in which they are made.
var documents = []string{"README.md", "docs/operate.md"}

// Each block of the documents with a line "$ rotor ..." shows what that command
// writes for the shop's secrets, on a real PostgreSQL. With ROTOR_WRITE_DOCUMENTS the
// blocks are written anew (make generate).
func TestTheDocumentsShowWhatRotorSays(t *testing.T) {
	d := newShop(t)
	write := os.Getenv("ROTOR_WRITE_DOCUMENTS") != ""
	shown := map[string]bool{}
	for _, name := range documents {
		file := filepath.Join("../..", name)
		before, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		after := blocks.ReplaceAllStringFunc(string(before), func(block string) string {
			now := d.shows(t, block, shown)
			if now != block && !write {
				t.Errorf("%s shows something else than rotor says, which is (make generate writes it)\n%s", name, now)
			}
			return now
		})
		if write {
			if err := os.WriteFile(file, []byte(after), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, name := range d.commands(t) {
		if !shown[name] && name != "help" && name != "completion" { // these are long, and no news
			t.Errorf("no document shows rotor %s", name)
		}
	}
	for _, p := range d.passwords {
		if strings.Contains(d.all.String(), p) {
			t.Error("a password was written")
		}
	}
}

// commands are all that rotor has.
func (s *shell) commands(t *testing.T) (names []string) {
	t.Helper()
	out, _, _ := s.run(t, "__complete", "")
	for line := range strings.Lines(out) {
		if name, _, is := strings.Cut(line, "\t"); is {
			names = append(names, name)
		}
	}
	if !slices.Contains(names, "status") || len(names) < 9 {
		t.Fatalf("the commands are %v", names)
	}
	return names
}

// blocks are those that begin with a command of rotor's.
var blocks = regexp.MustCompile("(?m)^```\n\\$ rotor (?:.*\n)*?```$")

// shows is a block with what its commands write now.
func (d *desk) shows(t *testing.T, block string, shown map[string]bool) string {
	var b strings.Builder
	b.WriteString("```\n")
	for line := range strings.Lines(block) {
		command, is := strings.CutPrefix(line, "$ rotor ")
		if !is {
			continue
		}
		name, _, _ := strings.Cut(strings.TrimSpace(command), " ")
		shown[name] = true
		b.WriteString(line + d.says(t, "rotor "+command))
	}
	return b.String() + "```"
}

// says is what a command shows on a screen, as the documents have it.
func (d *desk) says(t *testing.T, command string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", "-c", `rotor() { "$0" "$@"; }; `+command, d.path)
	cmd.Dir, cmd.Env = d.folder, d.env
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || exit.ExitCode() > exitAct) {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	d.all.Write(out)
	return wrapped(d.settled(string(out)))
}

var (
	versionID   = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	suffix      = regexp.MustCompile(`(:secret:[a-z/]+)-\w{6}`)
	took        = regexp.MustCompile(`rotated in \d+\.\d s`)
	certificate = regexp.MustCompile(`(rotor-postgres \S+ +)(\d+ (?:min|h|days) +)`)
)

// settled puts in the place of what differs from one run to the next what is always
// the same: the versions, the random ends of ARNs, the server's address, how long a
// rotation took, and when the test's certificate ends.
func (d *desk) settled(out string) string {
	out = versionID.ReplaceAllStringFunc(out, func(id string) string {
		if d.versions[id] == "" {
			h := fmt.Sprintf("%x", sha256.Sum256(fmt.Append(nil, len(d.versions))))
			d.versions[id] = strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:32]}, "-")
		}
		return d.versions[id]
	})
	out = suffix.ReplaceAllString(out, "$1-AbCdEf")
	out = strings.ReplaceAll(out, d.address, "db.example.com:5432")
	out = certificate.ReplaceAllStringFunc(out, func(cells string) string {
		m := certificate.FindStringSubmatch(cells)
		return fmt.Sprintf("%s%-*s", m[1], len(m[2]), "90 days")
	})
	return took.ReplaceAllString(out, "rotated in 1.4 s")
}

// wrapped breaks lines that are too long for a page, and indents what goes on.
func wrapped(out string) string {
	const width = 120
	var b strings.Builder
	for line := range strings.Lines(out) {
		line = strings.TrimSuffix(line, "\n")
		for len(line) > width {
			at := strings.LastIndex(line[:width], " ")
			if strings.TrimSpace(line[:max(at, 0)]) == "" {
				break
			}
			b.WriteString(line[:at] + "\n")
			line = "    " + line[at+1:]
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

// cutOff rotates, and puts the labels as if the function had been killed before
// finishSecret.
func (d *desk) cutOff(t *testing.T) func(context.Context, *stage, string, string) error {
	return func(ctx context.Context, s *stage, name, function string) error {
		d.name = name
		if err := rotated(ctx, s, name, function); err != nil {
			return err
		}
		d.unfinish(t)
		return nil
	}
}

// newShop is a small fleet: of each state that matters one secret, made at the start
// of a day, so that all spans of time are whole days.
func newShop(t *testing.T) *desk {
	t.Helper()
	if left := time.Until(time.Now().UTC().Truncate(day).Add(day)); left < 3*time.Minute {
		time.Sleep(left + time.Second) // it is the same day until the end
	}
	s := open(t, "eu-west-1")
	d := &desk{stage: s, e: s.engineOf(t, "postgres", "eu-west-1"), versions: map[string]string{}, folder: t.TempDir(),
		shell: newShell(t, map[string]*account{"default": newAccount(t, map[string]*region{"eu-west-1": s.region})})}
	theirs := local.DeclareFunction(local.FunctionConfig{Name: "SecretsManagerRDSPostgreSQLSingleUser", Region: "eu-west-1", Runtime: "python3.12",
		Description: "Conducts an AWS SecretsManager secret rotation for RDS PostgreSQL using single user rotation scheme", Env: map[string]string{"PASSWORD_LENGTH": "40"}})
	d.lambda.Add(theirs)
	for _, w := range []struct {
		way
		function string
	}{
		{way{"shop/mail", 1, 33 * day, fleet.Overdue, nil, rotated}, d.e.function},
		{way{"shop/orders", 1, 10 * day, fleet.OK, nil, rotated}, d.e.function},
		{way{"shop/stock", 1, 9 * day, fleet.ByAWS, nil, func(ctx context.Context, s *stage, name, function string) error {
			return errors.Join(rotated(ctx, s, name, d.e.function), s.rotate(ctx, name, function, true))
		}}, theirs.ARN()},
		{way{"shop/users", 1, 4 * day, fleet.Failed, wrongPassword, triedInVain}, d.e.function},
		{way{"shop/payments", 1, 2 * day, fleet.Stuck, nil, d.cutOff(t)}, d.e.function},
	} {
		s.setBack(time.Since(time.Now().UTC().Truncate(day)) + w.ago)
		user, err := d.e.server.User(t.Context(), strings.TrimPrefix(w.name, "shop/"))
		if err != nil {
			t.Fatal(err)
		}
		d.address = fmt.Sprintf("%v:%v", user["host"], user["port"])
		if w.value != nil {
			w.value(user)
		}
		if err := d.create(t.Context(), w.name, user, w.state); err != nil {
			t.Fatal(err)
		}
		if err := w.do(t.Context(), s, w.name, w.function); err != nil {
			t.Fatal(err)
		}
	}
	s.setBack(0)
	return d
}
