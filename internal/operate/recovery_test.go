package operate

import (
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/rotation"
)

func label(name string, works bool, class rotation.Class, differs ...string) rotation.Label {
	l := rotation.Label{Name: name, Version: strings.ToLower(name), User: "app", Works: works, Differs: differs}
	if !works {
		l.Failure = &rotation.Failure{Class: class, Cause: "c", Remedy: "r"}
	}
	return l
}

func TestTheSafeStep(t *testing.T) {
	works := func(name string, differs ...string) rotation.Label { return label(name, true, "", differs...) }
	refused := func(name string, differs ...string) rotation.Label {
		return label(name, false, rotation.LoginRefused, differs...)
	}
	const c, p, v = rotation.Current, rotation.Pending, rotation.Previous
	failure := &rotation.Failure{Class: rotation.MissingPrivilege}
	for _, test := range []struct {
		name   string
		labels []rotation.Label
		next   *rotation.Failure
		want   Step
	}{
		{"all is well", []rotation.Label{works(c), refused(v)}, nil, Nothing},
		{"nothing was set yet", []rotation.Label{works(c), refused(p)}, nil, Rotate},
		{"nothing was made yet", []rotation.Label{works(c), label(p, false, rotation.NotReady)}, nil, Rotate},
		{"both work", []rotation.Label{works(c), works(p)}, nil, Rotate},
		{"the next one's turn fails", []rotation.Label{works(c), refused(p)}, failure, Mend},
		{"another user's turn", []rotation.Label{works(c), refused(p, "username")}, nil, Rotate},
		{"a field was edited before setSecret", []rotation.Label{works(c), refused(p, "dbname")}, failure, GiveUp},
		{"a field was edited, and both work", []rotation.Label{works(c), works(p, "masterarn")}, failure, GiveUp},
		{"set, and not finished", []rotation.Label{refused(c), works(p)}, nil, Finish},
		{"set, and a field was edited", []rotation.Label{refused(c), works(p, "dbname")}, nil, Merge},
		{"the edited database is not there", []rotation.Label{label(c, false, rotation.NoDatabase), works(p, "dbname")}, nil, Merge},
		{"a wrong value was written", []rotation.Label{refused(c), works(v)}, nil, GoBack},
		{"a wrong value was written elsewhere", []rotation.Label{refused(c), works(v, "note")}, nil, Merge},
		{"the previous one alone works", []rotation.Label{refused(c), refused(p), works(v)}, nil, GoBack},
		{"the previous one alone works, elsewhere", []rotation.Label{refused(c), refused(p, "note"), works(v, "note")}, nil, Merge},
		{"the other user's works", []rotation.Label{refused(c), refused(p), works(v, "username")}, nil, GoBack},
		{"a trial is left", []rotation.Label{works(c), {Name: p, Works: true, Same: true}}, nil, GiveUp},
		{"AWSPENDING is not JSON", []rotation.Label{works(c), label(p, false, rotation.BadSecret)}, nil, GiveUp},
		{"AWSCURRENT is not JSON", []rotation.Label{label(c, false, rotation.BadSecret), works(v)}, nil, GoBack},
		{"AWSCURRENT is not JSON, and AWSPENDING works", []rotation.Label{label(c, false, rotation.BadSecret), works(p)}, nil, Finish},
		{"none works", []rotation.Label{refused(c), refused(p), refused(v)}, nil, ByHand},
		{"there is no current one", []rotation.Label{works(p)}, nil, ByHand},
		{"the server is down", []rotation.Label{label(c, false, rotation.Unreachable), label(p, false, rotation.Unreachable)}, nil, Untold},
		{"the server went down", []rotation.Label{refused(c), label(p, false, rotation.Timeout)}, nil, Untold},
		{"only the previous one's server is down", []rotation.Label{works(c), label(v, false, rotation.Unreachable)}, nil, Nothing},
	} {
		r := Decide(test.labels, test.next, false)
		if r.Step != test.want || r.Means == "" {
			t.Errorf("%s: got %q (%s), want %q", test.name, r.Step, r.Means, test.want)
		}
		target := Target{ARN: "arn"}
		for _, command := range target.Commands(r, " --region r") {
			if !strings.HasPrefix(command, "aws secretsmanager ") || !strings.HasSuffix(command, " --region r") || strings.Contains(command, "-id  ") {
				t.Errorf("%s: the command is %q", test.name, command)
			}
		}
	}
}

// The next rotation knows the other one of two users by the password that works.
func TestGivingUpKeepsTheOtherUsersPassword(t *testing.T) {
	const c, p, v = rotation.Current, rotation.Pending, rotation.Previous
	for _, test := range []struct {
		pending rotation.Label
		off     bool
		want    int // commands
	}{
		{label(p, true, "", "note", "username"), false, 2},
		{label(p, true, "", "username"), true, 2},
		{label(p, false, rotation.LoginRefused, "note", "username"), false, 1},
		{label(p, true, "", "note"), false, 1},
	} {
		r := Decide([]rotation.Label{label(c, true, ""), test.pending, label(v, true, "")}, nil, test.off)
		if commands := (Target{}).Commands(r, ""); r.Step != GiveUp || len(commands) != test.want ||
			test.want == 2 && !strings.Contains(commands[0], "--version-stage AWSPREVIOUS --move-to-version-id awspending --remove-from-version-id awsprevious") {
			t.Errorf("%+v: got %q by %q", test.pending, r.Step, commands)
		}
	}
}

// Where rotation is switched off, nobody goes on with the one that had begun.
func TestTheSafeStepWhereRotationIsSwitchedOff(t *testing.T) {
	const c, p = rotation.Current, rotation.Pending
	refused, works := label(c, false, rotation.LoginRefused), label(c, true, "")
	for _, test := range []struct {
		name   string
		labels []rotation.Label
		want   Step
	}{
		{"nothing was set", []rotation.Label{works, label(p, false, rotation.LoginRefused)}, GiveUp},
		{"nothing was made", []rotation.Label{works, label(p, false, rotation.NotReady)}, GiveUp},
		{"both work", []rotation.Label{works, label(p, true, "")}, GiveUp},
		{"set", []rotation.Label{refused, label(p, true, "")}, Finish},
		{"nothing had begun", []rotation.Label{works}, Nothing},
	} {
		r := Decide(test.labels, nil, true)
		if r.Step != test.want || NeedsPlan(test.labels, true) || r.Step == GiveUp && !strings.Contains(r.Means, "CancelRotateSecret") {
			t.Errorf("%s: got %q (%s), want %q", test.name, r.Step, r.Means, test.want)
		}
	}
}
