package postgrestest

import "regexp"

// logPrefix is the setting log_line_prefix: time, process, SQLSTATE. The patterns below rely on it.
const logPrefix = "%m [%p] %e "

// readyLine ends the start of a server; a standby's ends so too ("... read-only connections").
var readyLine = regexp.MustCompile(`(?m)` + logLine + `LOG:  database system is ready to accept `)

// logLine matches the prefix of one log entry and captures process and SQLSTATE. The lines that continue an entry
// start with a tab, so a statement cannot pose as an entry.
const logLine = `^\S+ \S+ \S+ \[(\d+)\] (\w{5}) `

var loginLine = regexp.MustCompile(`(?m)` + logLine + `(?:LOG:  connection (received|authorized): |(FATAL):  )`)

// countLogins reads how many logins a log tells of. A login that authenticates and is refused all the same (NOLOGIN,
// for one) is a refused one. Connections that end before a password was asked for are neither.
func countLogins(log string) (accepted, refused int) {
	authorized := map[string]bool{} // by process
	for _, m := range loginLine.FindAllStringSubmatch(log, -1) {
		process, code, event, fatal := m[1], m[2], m[3], m[4]
		switch {
		case event == "received":
			delete(authorized, process)
		case event == "authorized":
			authorized[process] = true
			accepted++
		case fatal != "" && (code == "28P01" || code == "28000"):
			refused++
			if authorized[process] {
				accepted--
			}
		}
	}
	return accepted, refused
}
