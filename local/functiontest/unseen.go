package functiontest

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/local"
	"github.com/seed492efc12/rotor/local/localtls"
	"github.com/seed492efc12/rotor/local/rig"
)

// debugging switches on whatever makes the function and its libraries talk: Lambda's log level, Go's tracing of HTTP/2
// and of name look-ups, all goroutines in a crash. The AWS SDK and the drivers take no such wish from the environment.
func debugging() map[string]string {
	return map[string]string{
		"AWS_LAMBDA_LOG_LEVEL": "DEBUG",
		"GODEBUG":              "http2debug=2,http2client=1,netdns=go+2",
		"GOTRACEBACK":          "all",
	}
}

// A scenario is a rotation during which no password may be seen.
type scenario struct {
	name    string
	only    []string // the strategies; nil is all
	env     func(t *testing.T, s *stage) map[string]string
	change  func(t *testing.T, s *stage, d secret.Document) secret.Document
	disturb func(t *testing.T, s *stage) (point string, act func() bool)
	timeout time.Duration // the function's; 0 is [local.FunctionConfig]'s
	fails   []string      // the class that it ends with, one of these; nil is success
	// said excepts the server's log: there the server, not the function, has the password in plain text.
	said bool
}

func scenarios(h Harness) []scenario {
	all := []scenario{
		{name: "healthy"},
		{name: "over HTTP/2", env: overHTTP2},
		{name: "wrong password", change: field("password", func(*testing.T, *stage) string { return `wr0ng " ' \ <password>` }), fails: []string{"Rotation.LoginRefused"}},
		{name: "unreachable", change: field("port", func(t *testing.T, _ *stage) string { return nowhere(t) }), timeout: briefly, fails: []string{"Rotation.Timeout"}},
		{name: "unknown authority", env: anotherAuthority, fails: []string{"Rotation.TLS"}},
		{name: "killed", disturb: killing},
		{name: "cut off", disturb: cutting},
	}
	if !h.UsersAdminister {
		all = append(all, scenario{name: "no administrator", only: strategies()[1:], change: field("masterarn", plainUser), fails: []string{"Rotation.MissingPrivilege", "Rotation.NoUser"}})
	}
	if h.Refuse != nil {
		all = append(all, scenario{name: "password policy", env: func(t *testing.T, s *stage) map[string]string { h.Refuse(t); return nil },
			fails: []string{"Rotation.PasswordRejected"}, said: true})
	}
	return all
}

// unseen rotates in each scenario and searches everything that the function wrote, what it looked like from outside,
// and the server's log, for every password and RotationToken.
func (h Harness) unseen(t *testing.T, by string) {
	ran, searched := 0, 0
	for _, c := range scenarios(h) {
		if c.only != nil && !slices.Contains(c.only, by) {
			continue
		}
		ran++
		t.Run(c.name, func(t *testing.T) { searched += h.scenario(t, by, c) })
	}
	h.log(t, "no-password-seen/process", by, "scenarios", ran, "bytes", searched)
}

func (h Harness) scenario(t *testing.T, by string, c scenario) (searched int) {
	s := h.stage(t, by)
	u := s.user(t, func(d secret.Document) secret.Document {
		if c.change == nil {
			return d
		}
		return c.change(t, s, d)
	})
	env := debugging()
	if c.env != nil {
		maps.Copy(env, c.env(t, s))
	}
	f := s.start(t, local.FunctionConfig{Env: env, Timeout: c.timeout})
	since := s.listen()
	if c.disturb != nil {
		point, act := c.disturb(t, s)
		s.arm(t, point, act)
	}
	_, err := s.rig.Rotate(t.Context(), u.arn, f)
	if got := rig.ErrorType(err); !slices.Contains(c.fails, got) && (err != nil || c.fails != nil) {
		t.Errorf("the rotation ended with %q, want %q: %v", got, c.fails, err)
	}
	if c.disturb != nil && !s.reached(t) {
		t.Error("it was not disturbed")
	}
	places := map[string]string{"the function's output": f.Log(), "the function's arguments and environment": shown(t, f), "the server's log": since()}
	if c.said {
		delete(places, "the server's log")
	}
	if err != nil {
		places["the error"] = err.Error()
	}
	return u.wantUnseen(t, places)
}

// listen begins to listen to the server's log.
func (s *stage) listen() func() string {
	if s.Log == nil {
		return func() string { return "" }
	}
	return s.Log()
}

// wantUnseen searches texts for all that u has had at first and has, and for more.
func (u *user) wantUnseen(t *testing.T, places map[string]string, more ...string) (searched int) {
	t.Helper()
	secrets := slices.Concat(u.rig.RotationTokens(), more, []string{u.User.Text("password"), u.Administrator.Text("password")})
	for _, label := range []string{"AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"} {
		secrets = append(secrets, u.value(t.Context(), label).Text("password"))
	}
	for place, text := range places {
		searched += len(text)
		for _, line := range Find(text, secrets...) {
			t.Errorf("a password or RotationToken is in %s: %s", place, strings.TrimSpace(line))
		}
	}
	if !strings.Contains(places["the function's output"], `"_aws"`) {
		t.Error("the function's output has no metrics: it is not all that it wrote")
	}
	return searched
}

func field(name string, value func(*testing.T, *stage) string) func(*testing.T, *stage, secret.Document) secret.Document {
	return func(t *testing.T, s *stage, d secret.Document) secret.Document { return d.With(name, value(t, s)) }
}

// plainUser is the secret of a user who may do nothing to others.
func plainUser(t *testing.T, s *stage) (arn string) { return s.user(t).arn }

func anotherAuthority(t *testing.T, _ *stage) map[string]string {
	ca, err := localtls.New()
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{"CA_BUNDLE": string(ca.PEM())}
}

// killing kills the process in setSecret, before the database gets its fifth question.
func killing(t *testing.T, s *stage) (string, func() bool) {
	return "database#5 asked", func() bool {
		if err := s.started[len(s.started)-1].Restart(); err != nil {
			t.Error(err)
		}
		return false
	}
}

// cutting ends a connection in setSecret.
func cutting(*testing.T, *stage) (string, func() bool) {
	return "database#5 asked", func() bool { return false }
}
