package mysql

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A dialect is what a server understands, by its version.
type dialect struct {
	maria               bool
	major, minor, patch int
}

// parseVersion reads VERSION(). Proxies may prepend 5.5.5-, as MariaDB itself
// does in its greeting.
func parseVersion(version string) dialect {
	d := dialect{maria: strings.Contains(strings.ToLower(version), "mariadb")}
	if d.maria {
		version = strings.TrimPrefix(version, "5.5.5-")
	}
	_, _ = fmt.Sscanf(version, "%d.%d.%d", &d.major, &d.minor, &d.patch) // what is missing is 0
	return d
}

func (d dialect) String() string {
	name := "MySQL"
	if d.maria {
		name = "MariaDB"
	}
	return fmt.Sprintf("%s %d.%d.%d", name, d.major, d.minor, d.patch)
}

// since reports whether the server is MySQL of that version or a later one.
func (d dialect) since(major, minor, patch int) bool {
	if d.maria {
		return false
	}
	for _, n := range [][2]int{{d.major, major}, {d.minor, minor}, {d.patch, patch}} {
		if n[0] != n[1] {
			return n[0] > n[1]
		}
	}
	return true
}

// dualPasswords: an account may have an old password beside the new one.
// Source: MySQL manual, 8.2.15 "Password Management", "Dual Password Support".
func (d dialect) dualPasswords() bool { return d.since(8, 0, 14) }

// attributes: CREATE USER and ALTER USER take COMMENT and ATTRIBUTE.
// Source: MySQL manual, "ALTER USER Statement".
func (d dialect) attributes() bool { return d.since(8, 0, 21) }

// replaces: ALTER USER takes the session's own password as a proof.
// Source: MySQL manual, "ALTER USER Statement", REPLACE.
func (d dialect) replaces() bool { return d.since(8, 0, 13) }

// checkUser refuses names that only this server does not take.
func (d dialect) checkUser(user string) error {
	const most = 32 // MySQL manual, "Account User Names and Passwords"
	if n := utf8.RuneCountInString(user); !d.maria && n > most {
		return tooLong(user, n, most)
	}
	return nil
}
