package redis_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/rotators/redis/redistest"
)

// A trial that says yes is a promise, and one that says no is right: in worlds made at random, of users with flags, commands,
// keys, channels and selectors, that may differ from node to node, and of administrators who may do more or less.
func TestARotationDoesWhatItsTrialSays(t *testing.T) {
	each(t, func(t *testing.T, w *world) { databasetest.Worlds(t, w.oneWorld) })
}

// oneWorld rotates three times, each after a trial, with changes by somebody else in between. It returns what the first
// trial said.
func (w *world) oneWorld(t *testing.T, strategy database.Strategy, dice *rand.Rand) (first error) {
	p := w.play(t, dice)
	r := w.rotations(t, strategy, databasetest.Fixture{User: p.secret(t, p.inUse, hardPassword), Admin: p.administrator(t), Roots: w.roots()})
	r.Config.GrantDrift, r.Config.NoOverlap = dice.IntN(3) == 0, dice.IntN(3) == 0
	if dice.IntN(3) == 0 {
		r.Config.Adopt = []string{p.user, p.user + "_clone"}
	}
	if dice.IntN(2) == 0 { // of a pair, AWSPREVIOUS is known
		r.Store.Write("user", "before", p.secret(t, p.user, hardPassword))
		r.Store.Stage("user", rotation.Previous, "before")
	}
	for n := range 3 {
		before := w.lists(t)
		trial := r.Preflight(t)
		if after := w.lists(t); !slices.Equal(before, after) {
			t.Fatalf("a trial changed\n%s\ninto\n%s", before, after)
		}
		if n == 0 {
			first = trial
		}
		err := r.Rotate(t)
		if (trial == nil) != (err == nil) {
			t.Fatalf("the trial of rotation %d says: %v\nthe rotation: %v\nafter\n%s", n, trial, err, strings.Join(p.story, "\n"))
		}
		if err != nil {
			return first
		}
		if strategy == database.AlternatingUsers && n == 0 {
			p.wantTwins(t)
		}
		p.happen(t, p.user, databasetest.Some(dice, 10, changes)...)
		if strategy == database.AlternatingUsers {
			p.happen(t, p.user+"_clone", databasetest.Some(dice, 12, changes)...)
		}
		p.happen(t, p.user, databasetest.Some(dice, 15, accidents)...)
		p.happen(t, p.user+"_clone", databasetest.Some(dice, 15, accidents)...)
	}
	return first
}

// lists are what ACL LIST says at each node.
func (w *world) lists(t *testing.T) (all []string) {
	t.Helper()
	for _, port := range w.server.Ports() {
		all = append(all, fmt.Sprintf("%q", w.at(t, port, "ACL", "LIST")))
	}
	return all
}

// A play is one world: a user, and what happened to it.
type play struct {
	*world
	dice  *rand.Rand
	user  string
	inUse string // the user or its clone
	story []string
}

// changes are rules that somebody may give a user. $TAG begins names of keys.
var changes = []string{
	"+@all -flushall", "-@dangerous", "+@read -mget", "-@write +set", "-@all +get", "+@string", "-@keyspace +keys", "+get", "-get", "-config|get", "+config|get +client|id",
	"-client", "+client", "-client|kill +client|list", "+acl|whoami", "+xinfo|stream", "-@pubsub", "-ping", "-select", "allcommands", "nocommands",
	"~$TAG_more:*", "%R~$TAG_ro:*", "%W~$TAG_wo:*", "%RW~$TAG_rw:*", "allkeys", "resetkeys", `~$TAG[a-z]?\*"'`, "resetkeys %R~$TAG:*",
	"&$TAG_more:*", "allchannels", "resetchannels", "resetchannels &$TAG:?",
	"(~$TAG_sel:* +get)", "(%R~$TAG_y &$TAG_z +@read -mget +client|id)", "(+@all -@all)", "(allkeys allchannels allcommands)", "(-@all +eval)", "clearselectors",
	"skip-sanitize-payload", "sanitize-payload", ">another-password", "+acl|setuser", "+acl|getuser", "+info", "-acl|save", "-config|rewrite",
}

// accidents happen less often. A word in capitals is a command of ACL.
var accidents = []string{
	"off", "on", "nopass", "resetpass", "resetpass >somebody's", "reset", "DELUSER", "-acl|setuser", "-acl|getuser", "-acl", "-info", "-@admin", "-cluster", "+acl +info +cluster +config",
}

// play makes a user, and what there is around it.
func (w *world) play(t *testing.T, dice *rand.Rand) *play {
	t.Helper()
	w.users++
	p := &play{world: w, dice: dice, user: fmt.Sprint(w.tag, "world", w.users)}
	if dice.IntN(3) == 0 {
		p.user = hardNames[dice.IntN(len(hardNames))] + p.user
	}
	t.Cleanup(func() { w.acl(t, "DELUSER", p.user, p.user+"_clone") })
	making := "on >$PASSWORD ~$TAG:* +@read +@write +ping"
	if dice.IntN(3) > 0 {
		making += " " + strings.Join(redistest.Administers, " ")
	}
	p.everywhere(t, p.user, making)
	p.inUse = p.user
	if dice.IntN(6) == 0 { // a pair that is older than this secret's rotation
		p.inUse = p.user + "_clone"
		p.everywhere(t, p.inUse, making)
		p.happen(t, p.inUse, databasetest.Some(dice, 12, changes)...)
	}
	p.happen(t, p.user, databasetest.Some(dice, 6, changes)...)
	if dice.IntN(2) == 0 { // so that there is something to rotate
		p.everywhere(t, p.user, strings.Join(redistest.Administers, " "))
	}
	p.happen(t, p.user, databasetest.Some(dice, 30, accidents)...)
	if dice.IntN(8) == 0 {
		p.happen(t, p.user+"_clone", []string{making, "on >somebody's +@all", "nopass", "off", "+get"}[dice.IntN(5)])
	}
	return p
}

// happen gives a user rules: most often everywhere, else at one node alone.
func (p *play) happen(t *testing.T, user string, all ...string) {
	t.Helper()
	for _, rules := range all {
		if ports := p.server.Ports(); p.dice.IntN(6) == 0 {
			p.tell(t, ports[p.dice.IntN(len(ports))], user, rules)
			continue
		}
		p.everywhere(t, user, rules)
	}
}

func (p *play) everywhere(t *testing.T, user, rules string) {
	t.Helper()
	for _, port := range p.server.Ports() {
		p.tell(t, port, user, rules)
	}
}

// tell runs ACL SETUSER with rules, or another command of ACL. What this version does not know is not part of the world.
func (p *play) tell(t *testing.T, port int, user, rules string) {
	t.Helper()
	words := []any{"SETUSER", user}
	if strings.ToUpper(rules) == rules && !strings.ContainsAny(rules, "+-~&%") {
		words = []any{rules, user}
	} else {
		for _, rule := range split(rules) {
			words = append(words, strings.NewReplacer("$TAG", p.tag, "$PASSWORD", hardPassword).Replace(rule))
		}
	}
	if _, err := p.server.Do(t.Context(), port, "ACL", words...); err == nil {
		p.story = append(p.story, fmt.Sprintf("%d: ACL %q", port, words))
	}
}

// split splits at blanks, but not within a selector.
func split(rules string) (all []string) {
	if strings.HasPrefix(rules, "(") {
		return []string{rules}
	}
	return strings.Fields(rules)
}

func (p *play) secret(t *testing.T, user, password string) secret.Document {
	t.Helper()
	return p.world.secret(t, user, password)
}

// administrator makes an administrator, who may be the user itself, and returns its secret.
func (p *play) administrator(t *testing.T) secret.Document {
	t.Helper()
	if p.dice.IntN(6) == 0 {
		return p.secret(t, p.server.AdminUser, p.server.AdminPassword)
	}
	if p.dice.IntN(10) == 0 {
		return p.secret(t, p.inUse, hardPassword)
	}
	name := p.user + ".boss"
	t.Cleanup(func() { p.acl(t, "DELUSER", name) })
	p.everywhere(t, name, "on >$PASSWORD "+[]string{
		strings.Join(redistest.Administers, " "), "+@all", "+@all -acl|setuser", "+@admin +info +cluster", "+acl +info +cluster", "+acl +cluster|myid", "+acl|setuser +info +cluster", "+ping",
	}[p.dice.IntN(8)])
	p.happen(t, name, databasetest.Some(p.dice, 20, accidents)...)
	return p.secret(t, name, hardPassword)
}

// wantTwins checks that the user that got its turn has the rules of the one in use, at each node that has that one.
func (p *play) wantTwins(t *testing.T) {
	t.Helper()
	if p.inUse != p.user {
		return // the original's rights are its own
	}
	for _, port := range p.server.Ports() {
		one, ok := p.rulesAt(t, port, p.user)
		one = strings.Replace(one, " off ", " on ", 1) // a clone in use is on where its original is off
		if other, _ := p.rulesAt(t, port, p.user+"_clone"); ok && one != other {
			t.Errorf("port %d: the original has\n%s\nand the clone\n%s\nafter\n%s", port, one, other, strings.Join(p.story, "\n"))
		}
	}
}
