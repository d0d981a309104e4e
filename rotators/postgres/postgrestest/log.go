package postgrestest

import (
	"regexp"
	"strings"

	"github.com/seed492efc12/rotor/internal/servertest"
)

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

var (
	statementLine = regexp.MustCompile(`(?m)` + logLine + `LOG:  (?:statement|execute [^:]*): (.*(?:\n\t.*)*)`)
	changesNone   = regexp.MustCompile(`(?i)^(/\* rotor: [^*]* \*/\s*)?(SELECT|WITH|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET enable_case_sensitive_identifier)\b`)
	password      = regexp.MustCompile(`PASSWORD '[^']*'`)
)

// ChangesSince are the statements that reached the server after a mark and may change something, as [Changes] has them.
func (s *Server) ChangesSince(mark servertest.Mark) []string {
	var all []string
	for _, m := range statementLine.FindAllStringSubmatch(s.LogSince(mark), -1) {
		all = append(all, strings.ReplaceAll(m[3], "\n\t", "\n"))
	}
	return Changes(all)
}

// Changes are those of a driver's statements that are no query and set up neither a session nor a transaction. A password in them,
// or what is made of one, is '<new password>', as in a plan.
func Changes(statements []string) (all []string) {
	for _, s := range statements {
		if !changesNone.MatchString(s) {
			all = append(all, password.ReplaceAllString(s, `PASSWORD '<new password>'`))
		}
	}
	return all
}
