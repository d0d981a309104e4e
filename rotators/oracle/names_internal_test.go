package oracle

import (
	"errors"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/rotation"
)

func TestNamesAreThoseOfTheCatalog(t *testing.T) {
	for user, want := range map[string]string{"app": "APP", "App": "APP", `"app"`: "app", `"App x"`: "App x", "app_CLONE": "APP_CLONE", "ü": "Ü"} {
		if got := exact(user); got != want {
			t.Errorf("%s is %s in the catalog, want %s", user, got, want)
		}
		if err := checkUser(user); err != nil {
			t.Errorf("%s: %v", user, err)
		}
	}
}

func TestNamesThatCannotBeRotatedAreRefused(t *testing.T) {
	for user, says := range map[string]string{
		"": "no user name", `"`: "no user name", `""`: "no user name", `"app`: "no user name", `app"`: "no user name", `a"b`: "no user name", `"a"b"`: "no user name",
		"a\x00b": "no user name", `"a` + "\x00" + `b"`: "no user name", `"app"_CLONE`: "no user name", "sys": "reserved", `"SYS"`: "reserved", "System": "reserved", "rdsadmin": "reserved", "public": "reserved",
		"c##app": "common user", "proxy[app]": "of its own", "app@db": "of its own", "/": "of its own", strings.Repeat("x", 129): "129 bytes", `"` + strings.Repeat("é", 65) + `"`: "130 bytes",
	} {
		var f *rotation.Fault
		if err := checkUser(user); !errors.As(err, &f) || f.Class != rotation.BadSecret || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: got %v", user, err)
		}
	}
	for _, user := range []string{`"sys"`, "Xsys", strings.Repeat("x", 128)} {
		if err := checkUser(user); err != nil {
			t.Errorf("%q: %v", user, err)
		}
	}
}

func TestOldReleasesTakeShorterNames(t *testing.T) {
	long := strings.Repeat("x", 31)
	for _, c := range []struct {
		release []int
		ok      bool
	}{{[]int{11, 2, 0, 4, 0}, false}, {[]int{12, 1, 0, 2, 0}, false}, {[]int{12, 2, 0, 1, 0}, true}, {[]int{19, 0, 0, 0, 0}, true}, {[]int{23, 0, 0, 0, 0}, true}} {
		f := &facts{release: c.release}
		if err := f.checkName(long); (err == nil) != c.ok || f.checkName(long[:30]) != nil {
			t.Errorf("%v: %v", c.release, err)
		}
	}
}
