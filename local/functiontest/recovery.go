package functiontest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/rotation/rotationtest"
	"github.com/seed492efc12/rotor/local"
	"github.com/seed492efc12/rotor/local/rig"
)

// RunRecoveries kills the function at each point of a rotation in turn, as far as [rotationtest.WantedSweep] goes, and
// lets nobody but an operator go on, who has the command at the path rotor: by "rotor recover --yes", or by the commands
// that "rotor recover" prints. At each point the secret is left as it is, or a field of AWSCURRENT is edited, or its password is
// replaced by a wrong one. After the first step AWSCURRENT works; it works all the time if it worked before; three steps
// are enough; and the next rotation succeeds.
func RunRecoveries(t *testing.T, h Harness, rotor string) {
	if rotationtest.WantedSweep() == rotationtest.NoSweep {
		t.Skip("no point is swept")
	}
	h = h.oneAtATime()
	for _, by := range strategies() {
		t.Run(by, func(t *testing.T) { h.recoveries(t, by, rotor) })
	}
}

// Edits are what somebody may do to AWSCURRENT while a rotation is stuck.
const (
	untouched     = "untouched"
	noteEdited    = "note edited"
	wrongPassword = "wrong password"
)

func edits() []string { return []string{untouched, noteEdited, wrongPassword} }

// A recovery is one of the cases at a point: how many rotations there were before, and what is edited.
type recovery struct {
	before int
	edit   string
}

// allCases are those of a point, in each turn of the users of a strategy.
func allCases(by, _ string) (all []recovery) {
	for before := range turnsOf(by) {
		for _, edit := range edits() {
			all = append(all, recovery{before, edit})
		}
	}
	return all
}

// storeStride takes one call of each step, at least.
const storeStride = 3

// oneCase is the case at a point of a sweep that takes some: another for each point.
func oneCase(by, point string) []recovery {
	all := allCases(by, point)
	n := turnOf(point) / storeStride % len(all)
	return all[n : n+1]
}

// turnOf is the number in a point's name.
func turnOf(point string) (turn int) {
	_, rest, _ := strings.Cut(point, "#")
	_, _ = fmt.Sscan(rest, &turn)
	return turn
}

func (h Harness) recoveries(t *testing.T, by, rotor string) {
	store, db := newTurns("store", "asked"), newTurns("database", "asked")
	cases, wanted := allCases, rotationtest.WantedSweep()
	switch wanted {
	case rotationtest.FullSweep:
		store.moments, db.moments = append(store.moments, "answered"), append(db.moments, "answered")
	case rotationtest.DyingSweep:
		store.stride, db.stride, cases = storeStride, wanted.Stride(), oneCase
	}
	offices := lanes(t, func(t *testing.T) *office {
		s := h.proxied(t, by, -1)
		return &office{stage: s, operator: operator{path: rotor, env: operating(t, s.rig)}, tally: tally{steps: map[string]int{}}}
	})
	sweep(t, offices, newQueue(store, db), func(t *testing.T, o *office, point string) (reached int) {
		for _, c := range cases(by, point) {
			if o.stuck(t, point, c) {
				reached++
			}
		}
		return reached
	})
	all := sum(t, offices)
	fewest := 4 // one call of each step
	if wanted != rotationtest.DyingSweep {
		fewest = len(store.moments) * len(allCases(by, "")) * (11 + 6) // calls of Secrets Manager, and two logins of three turns
	}
	if all.cases < fewest {
		t.Errorf("%d points: at least %d were to be reached", all.cases, fewest)
	}
	if keeps := h.keeps(by); (all.window == 0) != keeps {
		t.Errorf("AWSCURRENT did not work at %d points; it stays valid: %v", all.window, keeps)
	}
	h.log(t, "recovered/process", by, "cases", all.cases, "window", all.window, "logins", all.logins)
}

// sum adds up what was seen in all offices, and looks for passwords in what rotor wrote there.
func sum(t *testing.T, offices []*office) tally {
	t.Helper()
	all := tally{steps: map[string]int{}}
	for _, o := range offices {
		all.add(o.tally)
		for _, line := range Find(o.written.String(), append(o.passwords, o.rig.RotationTokens()...)...) {
			t.Errorf("a password or RotationToken is in what rotor wrote: %s", line)
		}
	}
	t.Logf("%d points, %d of them between setSecret and finishSecret of a single user, %d logins; steps: %v", all.cases, all.window, all.logins, all.steps)
	return all
}

// keeps reports whether the password in AWSCURRENT stays valid until the next rotation has ended.
func (h Harness) keeps(by string) bool { return by == alternating || slices.Contains(h.Overlaps, by) }

// stuck makes a user whose rotation is killed at the point, edits AWSCURRENT, and has the operator lead out.
func (o *office) stuck(t *testing.T, point string, c recovery) (reached bool) {
	t.Helper()
	u := o.user(t)
	for range c.before {
		u.rotated(t)
	}
	o.arm(t, point, func() bool {
		if err := o.function.Restart(); err != nil {
			t.Errorf("killed at %s: %v", point, err)
		}
		return false
	})
	n, _ := o.rig.Rotate(t.Context(), u.arn, o.function)
	if !o.reached(t) {
		return false
	}
	o.cases++
	o.prints = turnOf(point)%2 == 0
	if u.inWindow(t, n) {
		o.window++
	}
	u.edited(t, c.edit)
	o.leadsOut(t, u)
	if note := u.value(t.Context(), "AWSCURRENT").Text("note"); (note != "") != (c.edit == noteEdited) {
		t.Errorf("the note is %q", note)
	}
	o.whole(t, u)
	for _, label := range []string{"AWSCURRENT", "AWSPREVIOUS"} {
		o.passwords = append(o.passwords, u.value(t.Context(), label).Text("password"))
	}
	if t.Failed() {
		t.Fatalf("it was killed at %s after %d rotations, %s", point, c.before, c.edit)
	}
	return true
}

// inWindow checks which of the labels work after a rotation was cut off, and reports whether AWSCURRENT does not: that
// may be only where a single user's old password ends at once, from the change in setSecret until finishSecret has moved
// the label.
func (u *user) inWindow(t *testing.T, n rig.Rotation) (is bool) {
	t.Helper()
	refused := u.works(t.Context(), "AWSCURRENT")
	if refused != nil && !u.Refused(refused) {
		t.Errorf("AWSCURRENT is not refused: %v", refused)
	}
	if u.keeps(u.by) {
		if refused != nil {
			t.Errorf("AWSCURRENT does not work: %v", refused)
		}
		return refused != nil
	}
	changed := u.works(t.Context(), "AWSPENDING") == nil
	if want := changed && n.Labels["AWSCURRENT"] != n.Token; (refused != nil) != want {
		t.Errorf("AWSPENDING works: %v; the label has moved: %v; AWSCURRENT: %v", changed, n.Labels["AWSCURRENT"] == n.Token, refused)
	}
	last := n.Steps[len(n.Steps)-1].Name
	if last == "createSecret" && changed || last == "testSecret" && refused == nil {
		t.Errorf("killed in %s, AWSPENDING works: %v, AWSCURRENT: %v", last, changed, refused)
	}
	return refused != nil
}

// edited is what somebody does to AWSCURRENT.
func (u *user) edited(t *testing.T, how string) {
	t.Helper()
	switch d := u.value(t.Context(), "AWSCURRENT"); how {
	case noteEdited:
		u.edit(t, d.With("note", "of somebody"))
	case wrongPassword:
		u.edit(t, d.With("password", "not-the-password"))
	}
}

// leadsOut has the operator do step after step until no rotation is under way.
func (o *office) leadsOut(t *testing.T, u *user) {
	t.Helper()
	const most = 3
	for n := 0; ; n++ {
		worked := u.works(t.Context(), "AWSCURRENT") == nil
		app := &application{user: u, works: worked}
		app.open(t)
		step := o.step(t, u, n)
		o.logins += app.close(t)
		o.steps[step]++
		if err := u.works(t.Context(), "AWSCURRENT"); err != nil {
			t.Fatalf("after %q, step %d, AWSCURRENT does not work: %v\n%s", step, n+1, err, o.last)
		}
		if step == "nothing" {
			break
		}
		if n == most {
			t.Fatalf("there is no end: %s", o.last)
		}
	}
	labels, err := o.rig.Labels(t.Context(), u.arn)
	if err != nil {
		t.Fatal(err)
	}
	if p := labels["AWSPENDING"]; p != "" && p != labels["AWSCURRENT"] {
		t.Error("AWSPENDING is left")
	}
}

// whole rotates once more, which succeeds.
func (o *office) whole(t *testing.T, u *user) {
	t.Helper()
	app := &application{user: u, works: true}
	app.open(t)
	old := u.value(t.Context(), "AWSCURRENT").Text("password")
	n, err := u.rig.Rotate(t.Context(), u.arn, o.function)
	if rig.ErrorType(err) == "Rotation.NotItsTwin" && u.forgot(t) {
		o.adopt(t, err.Error())
		_, err = o.rig.Command(t.Context(), "aws secretsmanager rotate-secret --secret-id "+u.arn)
	}
	if err != nil {
		t.Fatalf("the next rotation: %v", err)
	}
	u.wantRotated(t, n.Token, "", old)
	o.logins += app.close(t)
}

// forgot reports whether nothing proves any more whose the other one of two users is: on a server without marks, if an
// edit of AWSCURRENT has moved AWSPREVIOUS from its password.
func (u *user) forgot(t *testing.T) bool {
	t.Helper()
	if !u.Unmarked || u.by != alternating {
		return false
	}
	current := u.value(t.Context(), "AWSCURRENT").Text("username")
	for _, label := range []string{"AWSPREVIOUS", "AWSPENDING"} {
		if name := u.value(t.Context(), label).Text("username"); name != "" && name != current && u.works(t.Context(), label) == nil {
			return false
		}
	}
	return true
}

// adopt does what a message says of users that nothing proves to be a pair. The setting ends with the case.
func (o *office) adopt(t *testing.T, message string) {
	t.Helper()
	o.steps["adopt"]++
	m := regexp.MustCompile(`CLONE_ADOPT=(.+?) in the function's environment`).FindStringSubmatch(message)
	if m == nil {
		t.Fatalf("no setting is in %s", message)
	}
	name := o.function.ARN()[strings.LastIndex(o.function.ARN(), ":")+1:]
	o.function = o.start(t, local.FunctionConfig{Name: name, Env: map[string]string{"CLONE_ADOPT": m[1]}})
	t.Cleanup(func() { o.function = o.start(t, local.FunctionConfig{Name: name}) })
}

// rotated is a healthy rotation.
func (u *user) rotated(t *testing.T) {
	t.Helper()
	old := u.value(t.Context(), "AWSCURRENT").Text("password")
	n, err := u.rig.Rotate(t.Context(), u.arn, u.function)
	if err != nil {
		t.Fatalf("a rotation: %v", err)
	}
	u.wantRotated(t, n.Token, "", old)
}
