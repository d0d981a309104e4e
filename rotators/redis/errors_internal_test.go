package redis

import (
	"errors"
	"testing"

	"github.com/gomodule/redigo/redis"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// Source of the texts: Redis's server.c and acl.c.
func TestEveryErrorHasItsClass(t *testing.T) {
	c := &conn{login: database.Login{User: "app"}, seed: &node{mode: "standalone"}}
	for text, want := range map[string]rotation.Fault{
		"CLUSTERDOWN Hash slot not served":                                                 {Class: rotation.Unavailable, Transient: true},
		"LOADING Redis is loading the dataset in memory":                                   {Class: rotation.Unavailable, Transient: true},
		"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.": {Class: rotation.Unavailable, Transient: true},
		"BUSY Redis is busy running a script.":                                             {Class: rotation.Unavailable, Transient: true},
		"READONLY You can't write against a read only replica.":                            {Class: rotation.ReadOnly},
		"OOM command not allowed when used memory > 'maxmemory'.":                          {Class: rotation.Unavailable},
		"MISCONF Redis is configured to save RDB snapshots":                                {Class: rotation.Unavailable},
		"NOREPLICAS Not enough good replicas to write.":                                    {Class: rotation.Unavailable},
		"-DENIED Redis is running in protected mode":                                       {Class: rotation.Unreachable},
		"NOAUTH Authentication required.":                                                  {Class: rotation.LoginRefused},
		"NOPERM User app has no permissions to run the 'acl|setuser' command":              {Class: rotation.MissingPrivilege},
		"ERR max number of clients reached":                                                {Class: rotation.TooManyConnections, Transient: true},
		"ERR unknown command 'ACL', with args beginning with: 'GETUSER' 'app'":             {Class: rotation.Unknown},
		"ERR something new": {Class: rotation.Unknown},
	} {
		got, ok := errors.AsType[*rotation.Fault](c.fault(redis.Error(text)))
		if !ok || got.Class != want.Class || got.Transient != want.Transient {
			t.Errorf("%s: got %v", text, got)
		}
	}
	if !errors.Is(loginFault(redis.Error("WRONGPASS invalid username-password pair or user is disabled."), c.login), database.ErrLoginRefused) {
		t.Error("WRONGPASS is no refusal")
	}
}

func TestNamesAreQuotedForRedisCLI(t *testing.T) {
	for name, want := range map[string]string{"app": "app", "a.b-c_1": "a.b-c_1", "": `""`, `a"b\c`: `"a\"b\\c"`, "ü;": `"\xc3\xbc;"`, "$(x)": `"$(x)"`} {
		if got := quote(name); got != want {
			t.Errorf("%q is %s, not %s", name, got, want)
		}
	}
}

func TestRulesOfCommandsAreCompared(t *testing.T) {
	for _, same := range [][2]string{
		{"-@all +@read +set +function|load +function|flush", "-@all +@read +function|flush +function|load +set"},
		{"+@all -get -client +client|id", "+@all -client +client|id -get"},
	} {
		if canonical(same[0]) != canonical(same[1]) {
			t.Errorf("%q and %q differ", canonical(same[0]), canonical(same[1]))
		}
	}
	for _, other := range [][2]string{{"-@all +@read -@write", "-@all -@write +@read"}, {"-@all +get +@read", "-@all +@read +get"}, {"-@all +get", "-@all -get"}} {
		if canonical(other[0]) == canonical(other[1]) {
			t.Errorf("%q and %q are taken for the same", other[0], other[1])
		}
	}
}
