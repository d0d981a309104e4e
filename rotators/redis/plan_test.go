package redis_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/rotators/redis/redistest"
)

// A planning is a rotation to be planned: how often the user was rotated before, and what somebody did to it and to its
// clone since.
type planning struct {
	name         string
	strategy     database.Strategy
	before       int
	user, clone  []string // rules
	gains, loses []string // the beginnings of rights
}

// plannings are of each strategy, with a clone that does not exist, with one that differs, and with an original that gets
// what its clone has.
var plannings = []planning{
	{name: "single user", strategy: database.SingleUser},
	{name: "by administrator", strategy: database.SingleUserByAdministrator},
	{name: "new clone", strategy: database.AlternatingUsers, gains: []string{"commands -@all +rpush", "commands -@all"}},
	{name: "equal clone", strategy: database.AlternatingUsers, before: 2},
	{name: "clone that differs", strategy: database.AlternatingUsers, before: 2,
		clone: []string{"clearselectors", "(~own -@all +get)", "skip-sanitize-payload"},
		gains: []string{"commands -@all +rpush"}, loses: []string{"commands -@all +get on keys ~own", "skip-sanitize-payload"}},
	{name: "drift", strategy: database.AlternatingUsers, before: 1,
		user: []string{"(~of:the:original -@all +get)"}, clone: []string{"(~own -@all +get)"}, gains: []string{"commands -@all +get on keys ~own"}},
}

// prepare makes what p says.
func (w *world) prepare(t *testing.T, p planning) *databasetest.Rotations {
	t.Helper()
	f := w.fixture(t, "")
	user := f.User.Text("username")
	r := w.rotations(t, p.strategy, f)
	r.Config.GrantDrift, r.Config.Adopt = true, []string{user, user + "_clone"}
	for range p.before {
		r.Must(t)
	}
	if p.user != nil {
		w.acl(t, append([]string{"SETUSER", user}, p.user...)...)
	}
	if p.clone != nil {
		w.acl(t, append([]string{"SETUSER", user + "_clone"}, p.clone...)...)
	}
	return r
}

func TestAPlanChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, p := range plannings {
			t.Run(p.name, func(t *testing.T) {
				r := w.prepare(t, p)
				before := w.state(t)
				plan, err := r.Plan(t)
				if err != nil {
					t.Fatal(err)
				}
				if after := w.state(t); after != before {
					t.Errorf("before\n%s\nafter\n%s", before, after)
				}
				w.wantRights(t, "gains", plan.Gains, p.gains)
				w.wantRights(t, "loses", plan.Loses, p.loses)
			})
		}
	})
}

// wantRights wants of a plan's rights those that begin so at each node, and no more.
func (w *world) wantRights(t *testing.T, what string, rights, want []string) {
	t.Helper()
	for _, begin := range want {
		if !slices.ContainsFunc(rights, func(r string) bool { return strings.HasPrefix(r, begin) }) {
			t.Errorf("the user %s %q, and not %q", what, rights, begin)
		}
	}
	if nodes := len(w.server.Ports()); len(rights) != nodes*len(want) {
		t.Errorf("the user %s %q at %d nodes, and not %q at each", what, rights, nodes, want)
	}
}

// state is every user of every node, and how often the node has written users to a file.
func (w *world) state(t *testing.T) string {
	t.Helper()
	var all []string
	for _, port := range w.server.Ports() {
		users := w.at(t, port, "ACL", "LIST")
		written := regexp.MustCompile(`cmdstat_(acl\|save|config\|rewrite):calls=\d+`).FindAllString(fmt.Sprintf("%s", w.at(t, port, "INFO", "commandstats")), -1)
		all = append(all, fmt.Sprintf("%d: %q, %q", port, users, written))
	}
	return strings.Join(all, "\n")
}

// What reaches a node and is no query is what the plan says of that node: MONITOR shows no command of ACL, and so the
// connections are read.
func TestThePlanIsWhatArrives(t *testing.T) {
	redistest.Products(t, func(t *testing.T, product string) {
		for _, shape := range []redistest.Shape{redistest.Alone, redistest.Replicated, redistest.Watched, redistest.Cluster} {
			w := own(t, product, redistest.Config{Shape: shape, Options: servertest.NoTLS()})
			for _, p := range plannings {
				t.Run(fmt.Sprint(shape, " ", p.name), func(t *testing.T) { w.arrives(t, p) })
			}
		}
		w := own(t, product, redistest.Config{NoFile: true, Options: servertest.NoTLS()})
		t.Run("no ACL file", func(t *testing.T) { w.arrives(t, plannings[0]) })
	})
}

func (w *world) arrives(t *testing.T, p planning) {
	r := w.prepare(t, p)
	var wire tap
	r.Config.Dial, r.Config.Plaintext = wire.dial, true
	plan, err := r.Plan(t)
	if err != nil {
		t.Fatal(err)
	}
	if got := wire.changes(nil); len(got) > 0 {
		t.Errorf("the plan sent\n%s", strings.Join(got, "\n"))
	}
	old := r.Current().Text("password")
	r.Must(t)
	next := r.Current().Text("password")
	got := wire.changes(map[string]string{sum(next): "<SHA-256 of the new password>", sum(old): "<SHA-256 of the password in use>"})
	if err := databasetest.AsPlanned(plan, rotation.Plan{Statements: got}); err != nil {
		t.Error(err)
	}
}

// A tap keeps what goes to servers without TLS.
type tap struct {
	mu   sync.Mutex
	sent []order
}

// An order is a command, and the address that it went to.
type order struct {
	address string
	words   []string
}

func (p *tap) dial(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, address)
	return &tapped{Conn: conn, tap: p, address: address}, err
}

type tapped struct {
	net.Conn
	tap     *tap
	address string
	rest    []byte
}

func (c *tapped) Write(p []byte) (int, error) {
	c.rest = append(c.rest, p...)
	for {
		words, rest, ok := command(c.rest)
		if !ok {
			return c.Conn.Write(p)
		}
		c.rest = rest
		c.tap.mu.Lock()
		c.tap.sent = append(c.tap.sent, order{c.address, words})
		c.tap.mu.Unlock()
	}
}

// command reads one: the number of its words, and each with its length.
// Source: Redis documentation, "RESP protocol", "Sending commands to a Redis server".
func command(text []byte) (words []string, rest []byte, ok bool) {
	number := func(kind byte) int {
		line, after, found := bytes.Cut(text, []byte("\r\n"))
		n, err := strconv.Atoi(strings.TrimPrefix(string(line), string(kind)))
		if text = after; !found || err != nil {
			return -1
		}
		return n
	}
	for n := number('*'); len(words) < n; {
		length := number('$')
		if length < 0 || len(text) < length+2 {
			return nil, nil, false
		}
		words, text = append(words, string(text[:length])), text[length+2:]
	}
	return words, text, words != nil
}

// changes are the commands that were sent since they were asked for last and that change something, in a plan's words:
// with texts in place of what is secret.
func (p *tap) changes(told map[string]string) (all []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, o := range p.sent {
		switch name := strings.Join(o.words[:min(2, len(o.words))], " "); {
		case slices.Contains([]string{"AUTH", "HELLO", "INFO", "PING"}, o.words[0]), o.words[0] == "SENTINEL", slices.Contains([]string{"ACL GETUSER", "ACL LIST", "CLUSTER MYID", "CLUSTER SHARDS"}, name):
		case name == "ACL SETUSER" && len(o.words) == 3: // of a user who exists: the trial's question
		case name == "ACL SAVE":
			all = append(all, o.address+": ACL SAVE, or CONFIG REWRITE if it has no ACL file")
		case name == "CONFIG REWRITE" && len(all) > 0 && all[len(all)-1] == o.address+": ACL SAVE, or CONFIG REWRITE if it has no ACL file":
		default:
			for i, word := range o.words {
				if text, ok := told[strings.TrimPrefix(word, "#")]; ok {
					o.words[i] = "#" + text
				} else if strings.ContainsAny(word, " ") {
					o.words[i] = strconv.Quote(word)
				}
			}
			all = append(all, o.address+": "+strings.Join(o.words, " "))
		}
	}
	p.sent = nil
	return all
}

// sum is a password as ACL SETUSER takes it.
func sum(password string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(password))) }
