package rotation

import (
	"errors"
	"testing"
)

func TestPlanActsOnlyOnAPendingVersion(t *testing.T) {
	for _, c := range []struct {
		name  string
		off   bool
		v1    []string
		todo  bool
		class Class
	}{
		{"pending", false, []string{Pending}, true, ""},
		{"finished by an earlier run", false, []string{Current, Pending}, false, ""},
		{"finished, label removed", false, []string{Current}, false, ""},
		{"rotation off", true, []string{Pending}, false, NotReady},
		{"not staged", false, []string{Previous}, false, NotReady},
		{"unlabelled", false, []string{}, false, NotReady},
		{"unknown", false, nil, false, NotReady},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := Status{RotationEnabled: !c.off, Stages: map[string][]string{"v0": {Current}}}
			if c.v1 != nil {
				s.Stages["v1"] = c.v1
			}
			todo, err := plan(s, Event{Step: SetSecret, SecretID: "s", Token: "v1"})
			var f *Fault
			if errors.As(err, &f) != (c.class != "") || f != nil && f.Class != c.class || todo != c.todo {
				t.Errorf("todo %v, err %v", todo, err)
			}
		})
	}
}

func TestParseEvent(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     Event
		ok       bool
	}{
		{"camel case", `{"Step":"createSecret","SecretId":"arn","ClientRequestToken":"t","RotationToken":"r"}`, Event{CreateSecret, "arn", "t", "r"}, true},
		{"snake case", `{"Step":"finish_secret","SecretId":"arn","ClientRequestToken":"t"}`, Event{FinishSecret, "arn", "t", ""}, true},
		{"unknown step", `{"Step":"dropSecret","SecretId":"arn","ClientRequestToken":"t"}`, Event{"dropSecret", "arn", "t", ""}, false},
		{"no step", `{"SecretId":"arn","ClientRequestToken":"t"}`, Event{"", "arn", "t", ""}, false},
		{"no token", `{"Step":"testSecret","SecretId":"arn"}`, Event{TestSecret, "arn", "", ""}, false},
		{"no secret", `{"Step":"testSecret","ClientRequestToken":"t"}`, Event{TestSecret, "", "t", ""}, false},
		{"not JSON", `hunter2`, Event{}, false},
		{"a list", `["hunter2"]`, Event{}, false},
		{"wrong type", `{"Step":1}`, Event{}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ParseEvent([]byte(c.in))
			if got != c.want || (err == nil) != c.ok {
				t.Errorf("got %v, %v", got, err)
			}
			var f *Fault
			if err != nil && (!errors.As(err, &f) || f.Class != BadEvent) {
				t.Errorf("%v is not of class BadEvent", err)
			}
		})
	}
}

func FuzzParseEvent(f *testing.F) {
	f.Add([]byte(`{"Step":"createSecret","SecretId":"arn","ClientRequestToken":"t","RotationToken":"r"}`))
	f.Add([]byte(`{"Step":"SET_SECRET","SecretId":"","ClientRequestToken":null}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		ev, err := ParseEvent(payload)
		if err == nil && ev.validate() != nil {
			t.Fatalf("%s gave the invalid event %v", payload, ev)
		}
	})
}

func TestEveryClassHasARemedy(t *testing.T) {
	for _, c := range []Class{BadEvent, BadConfig, BadSecret, NotReady, AccessDenied, Throttled, StoreUnavailable, DNS, Unreachable, TLS, LoginRefused,
		AccountLocked, PasswordExpired, PasswordRejected, MissingPrivilege, FewerRights, ReadOnly, NoDatabase, NoUser, TooManyConnections, Unavailable, Timeout, Panic, Unknown} {
		if c.Remedy() == "" {
			t.Errorf("%s has none", c)
		}
	}
}
