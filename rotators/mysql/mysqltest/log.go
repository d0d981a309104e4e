package mysqltest

import (
	"regexp"
	"strings"
)

// loginLine is a general log's line of a connection: its number, and who logged in or why nobody did. The line of a
// login that fails follows that of its attempt.
var loginLine = regexp.MustCompile(`(?m)^[^\n]*?\t +(\d+) Connect\t(.*)$`)

// countLogins reads how many logins a log tells of.
func countLogins(log string) (accepted, refused int) {
	open := map[string]bool{} // by connection
	for _, m := range loginLine.FindAllStringSubmatch(log, -1) {
		connection, text := m[1], m[2]
		if strings.HasPrefix(text, "Access denied") {
			refused++
			if open[connection] {
				accepted--
			}
			continue
		}
		open[connection] = true
		accepted++
	}
	return accepted, refused
}
