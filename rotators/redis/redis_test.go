package redis_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/rotators/redis"
	"github.com/seed492efc12/rotor/rotators/redis/redistest"
)

func itoa(n int) string { return strconv.Itoa(n) }

// A restart finds the new password where the server keeps its users.
func TestARestartRemembersTheNewPassword(t *testing.T) {
	for name, c := range map[string]redistest.Config{"ACL file": {}, "configuration file": {NoFile: true}} {
		t.Run(name, func(t *testing.T) {
			redistest.Products(t, func(t *testing.T, product string) {
				w := own(t, product, c)
				w.users = 1000 // a restarted server has users of its own
				name := w.tag + "app"
				w.user(t, name, hardPassword, w.application()...)
				r := w.rotations(t, database.SingleUser, w.fixtureOf(t, name, hardPassword))
				r.Must(t)
				if strings.Contains(r.Log.String(), "forget") {
					t.Errorf("the log says\n%s", r.Log.String())
				}
				port := w.server.Again(t)
				conn, err := w.server.Connect(t.Context(), port, name, r.Current().Text("password"))
				if err != nil {
					t.Fatal(err)
				}
				_ = conn.Close()
			})
		})
	}
}

// A trial asks by ACL SETUSER without rules: no user of any node is another afterwards, and there is none more.
func TestATrialChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := w.rotations(t, database.AlternatingUsers, w.fixture(t, ""))
		for _, strategy := range ways() {
			r.Config.Strategy = strategy
			before := w.lists(t)
			if err := r.Preflight(t); err != nil {
				t.Error(err)
			}
			if after := w.lists(t); !slices.Equal(before, after) {
				t.Errorf("before\n%s\nafter\n%s", before, after)
			}
		}
	})
}

// What a restart would forget is told: here nobody may write the file.
func TestWhatARestartForgetsIsTold(t *testing.T) {
	redistest.Products(t, func(t *testing.T, product string) {
		w := own(t, product, redistest.Config{})
		name := w.tag + "app"
		w.user(t, name, hardPassword, "+acl|getuser", "+acl|setuser", "+info")
		r := w.rotations(t, database.SingleUser, w.fixtureOf(t, name, hardPassword))
		r.Must(t)
		if want := fmt.Sprintf("ACL SETUSER %s +acl|save +config|rewrite", name); !strings.Contains(r.Log.String(), want) {
			t.Errorf("the log does not say %q:\n%s", want, r.Log.String())
		}
	})
}

// Any password would prove that a clone without one belongs to its original.
func TestACloneWithoutPasswordProvesNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		f := w.fixture(t, "")
		clone := f.User.Text("username") + "_clone"
		w.acl(t, "SETUSER", clone, "on", "nopass")
		r := w.rotations(t, database.AlternatingUsers, f)
		databasetest.Wants(t, r.Preflight(t), rotation.BadSecret, "nopass")
		databasetest.Wants(t, r.Rotate(t), rotation.BadSecret, "nopass")
		w.acl(t, "DELUSER", clone)
		r.Must(t)
	})
}

func TestAUserWithoutPasswordIsRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for name, strategy := range ways() {
			f := w.fixture(t, "")
			user := f.User.Text("username")
			w.acl(t, "SETUSER", user, "nopass")
			r := w.rotations(t, strategy, f)
			databasetest.Wants(t, r.Preflight(t), rotation.BadSecret, "nopass", "ACL SETUSER "+user+" resetpass")
			databasetest.Wants(t, r.Rotate(t), rotation.BadSecret, "nopass")
			w.acl(t, "SETUSER", user, "resetpass", ">"+hardPassword)
			if err := r.Rotate(t); err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			databasetest.Remedied(t, redis.Driver, w.server.Title, true, rotation.BadSecret)
		}
	})
}

// The message's own command is run, and helps.
func TestAMissingRightIsNamed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, right := range []string{"acl|getuser", "acl|setuser"} {
			name := fmt.Sprint(w.tag, "lacks", strings.ReplaceAll(right, "|", ""))
			w.user(t, name, hardPassword, append(append([]string{}, redistest.Administers...), "-"+right)...)
			r := w.rotations(t, database.SingleUser, w.fixtureOf(t, name, hardPassword))
			err := r.Preflight(t)
			databasetest.Wants(t, err, rotation.MissingPrivilege, right)
			databasetest.Wants(t, r.Rotate(t), rotation.MissingPrivilege, right)
			remedy := strings.Fields(databasetest.Remedy(t, r.Rotate(t), "As an administrator, at each node: ACL ", "; then"))
			w.acl(t, remedy...)
			r.Must(t)
			databasetest.Remedied(t, redis.Driver, w.server.Title, true, rotation.MissingPrivilege)
		}
	})
}

// A clone has the original's rules at each turn, and no others.
func TestTheCloneFollowsTheOriginal(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		f := w.fixture(t, "")
		user := f.User.Text("username")
		r := w.rotations(t, database.AlternatingUsers, f)
		r.Must(t)
		r.Must(t)
		w.acl(t, "SETUSER", user, "-get", "+hset", "~more:*", "clearselectors", "(~x +get)", "(%R~y &z +@read -mget +client|id)", "skip-sanitize-payload")
		w.acl(t, "SETUSER", user+"_clone", "+@admin", "~secret:*")
		r.Must(t)
		for _, port := range w.server.Ports() {
			one, other := w.rules(t, port, user), w.rules(t, port, user+"_clone")
			if one != other {
				t.Errorf("port %d: the original has\n%s\nand the clone\n%s", port, one, other)
			}
		}
	})
}

// rules are what ACL LIST says of a user, without its name and passwords.
func (w *world) rules(t *testing.T, port int, user string) string {
	t.Helper()
	rules, ok := w.rulesAt(t, port, user)
	if !ok {
		t.Fatalf("there is no user %q at port %d", user, port)
	}
	return rules
}

func (w *world) rulesAt(t *testing.T, port int, user string) (text string, ok bool) {
	t.Helper()
	for _, line := range w.at(t, port, "ACL", "LIST").([]any) {
		words := strings.Split(string(line.([]byte)), " ") // names and patterns may have blanks of Unicode's
		if words[1] != user {
			continue
		}
		var rules []string
		for _, word := range words[2:] {
			if !strings.HasPrefix(word, "#") && word != "sanitize-payload" { // Redis 7.0 tells it of those who were told it
				rules = append(rules, word)
			}
		}
		slices.Sort(rules) // their order is the server's
		return strings.Join(rules, " "), true
	}
	return "", false
}

// What only the clone may do stops its original's turn, before a password is set, or is given to the original.
func TestDrift(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		f := w.fixture(t, "")
		user := f.User.Text("username")
		r := w.rotations(t, database.AlternatingUsers, f)
		r.Must(t)
		w.acl(t, "SETUSER", user+"_clone", "~extra:*", "-get")
		databasetest.Wants(t, r.Preflight(t), rotation.FewerRights, "~extra:*")
		databasetest.Wants(t, r.Rotate(t), rotation.FewerRights, "~extra:*")
		r.Config.GrantDrift = true // as the message says
		r.Must(t)
		databasetest.Remedied(t, redis.Driver, w.server.Title, true, rotation.FewerRights)
		if err := w.probe(t.Context(), r.Current()); err != nil { // it can GET still
			t.Error(err)
		}
		r.Must(t)
		r.Must(t)
	})
}

// No password is in what the server keeps of commands.
func TestTheServerSeesNoPassword(t *testing.T) {
	redistest.Products(t, func(t *testing.T, product string) {
		w := own(t, product, redistest.Config{})
		w.at(t, w.server.Port, "CONFIG", "SET", "slowlog-log-slower-than", "0")
		for _, strategy := range ways() {
			r := w.rotations(t, strategy, w.fixture(t, ""))
			var passwords []string
			for range 2 {
				r.Must(t)
				passwords = append(passwords, r.Current().Text("password"))
			}
			seen := fmt.Sprintf("%s%q", w.server.Log(), w.at(t, w.server.Port, "SLOWLOG", "GET", "-1"))
			if !strings.Contains(seen, "SETUSER") {
				t.Fatalf("nothing was seen: %s", seen)
			}
			for _, p := range passwords {
				if strings.Contains(seen, p) {
					t.Errorf("the server has seen a password")
				}
			}
		}
	})
}

// A user that is switched off is refused as one with a wrong password is, and the message says how it is switched on.
func TestAUserThatIsOffIsRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		f := w.fixture(t, "")
		user := f.User.Text("username")
		w.acl(t, "SETUSER", user, "off")
		r := w.rotations(t, database.SingleUser, f)
		err := r.Rotate(t)
		databasetest.Wants(t, err, rotation.LoginRefused)
		w.acl(t, append([]string{"SETUSER"}, strings.Fields(databasetest.Remedy(t, err, "ACL SETUSER ", "; then"))...)...)
		r.Must(t)
		databasetest.Remedied(t, redis.Driver, w.server.Title, true, rotation.LoginRefused)
	})
}

// One that is switched off at another node alone is found by the trial too, unless it is its clone's turn.
func TestAUserThatIsOffElsewhereIsFoundByTheTrial(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ports := w.server.Ports()
		if len(ports) == 1 {
			return
		}
		for _, strategy := range []database.Strategy{database.SingleUserByAdministrator, database.AlternatingUsers} {
			f := w.fixture(t, "")
			user, port := f.User.Text("username"), ports[len(ports)-1]
			r := w.rotations(t, strategy, f)
			w.at(t, port, "ACL", "SETUSER", user, "off")
			if strategy == database.AlternatingUsers {
				if trial, err := r.Preflight(t), r.Rotate(t); trial != nil || err != nil {
					t.Errorf("the clone's turn: %v, %v", trial, err)
				}
			}
			databasetest.Wants(t, r.Preflight(t), rotation.LoginRefused, "switched off")
			err := r.Rotate(t)
			databasetest.Wants(t, err, rotation.LoginRefused, "switched off")
			w.at(t, port, append([]string{"ACL", "SETUSER"}, strings.Fields(databasetest.Remedy(t, err, "ACL SETUSER ", "; then"))...)...)
			r.Must(t)
			databasetest.Remedied(t, redis.Driver, w.server.Title, true, rotation.LoginRefused)
		}
	})
}

// Over TLS the server hangs up without a word; in plain text it says why.
func TestTooManyClients(t *testing.T) {
	redistest.Products(t, func(t *testing.T, product string) {
		w := own(t, product, redistest.Config{Options: servertest.NoTLS()})
		r := w.rotations(t, database.SingleUser, w.fixture(t, ""))
		held, err := w.server.Connect(t.Context(), w.server.Port, w.server.AdminUser, w.server.AdminPassword)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = held.Close() }()
		limit := func(n string) {
			t.Helper()
			if _, err := held.Do("CONFIG", "SET", "maxclients", n); err != nil {
				t.Fatal(err)
			}
		}
		limit("1")
		databasetest.Wants(t, r.Rotate(t), rotation.TooManyConnections, "maxclients")
		limit("1000")
		r.Must(t)
		databasetest.Remedied(t, redis.Driver, w.server.Title, true, rotation.TooManyConnections)
	})
}

func TestServersOfAPIsAreRefused(t *testing.T) {
	for host, service := range map[string]string{
		"master.app.abc123.euw1.cache.amazonaws.com":              "ElastiCache",
		"clustercfg.app.abc123.memorydb.eu-west-1.amazonaws.com.": "MemoryDB",
		"app-abc123.serverless.euw1.cache.amazonaws.com":          "ElastiCache",
		"master.app.abc123.cnn1.cache.amazonaws.com.cn":           "ElastiCache",
	} {
		doc := (&world{server: &redistest.Server{}}).secret(t, "app", hardPassword).With("engine", "redis").With("host", host).With("port", "6379").With("ssl", "true")
		r := databasetest.NewRotations(t, redis.Driver, database.SingleUser, databasetest.Fixture{User: doc, Admin: doc})
		databasetest.Wants(t, r.Preflight(t), rotation.BadSecret, service)
		databasetest.Wants(t, r.Rotate(t), rotation.BadSecret, service)
	}
}
