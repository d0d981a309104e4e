package mysqltest

import (
	"maps"
	"slices"
	"strings"
)

// name prints an account as this version does: 5.7 leaves quotes in names as they are.
func (w *Wire) name(a who) string {
	if w.since(8, 0) {
		return a.String()
	}
	return "'" + a.user + "'@'" + a.host + "'"
}

// definition is SHOW CREATE USER. Who may not read mysql.user sees no hash.
func (w *Wire) definition(a *wireAccount, secret bool) string {
	stored := "$A$005$a hash with ' and \\\\ in it"
	if a.plugin == nativePlugin {
		stored = "*6C387FC3893DBA1E3BA155E74754DA6682D04747"
	}
	stored = "'" + strings.ReplaceAll(stored, "'", "''") + "'"
	if secret {
		stored = "<secret>"
	}
	text := "CREATE USER " + w.name(a.who) + " IDENTIFIED WITH '" + a.plugin + "' AS " + stored
	if len(a.defaults) > 0 {
		text += " DEFAULT ROLE " + joinWho(a.defaults)
	}
	text += " REQUIRE " + a.require
	if len(a.limits) > 0 {
		text += " WITH"
		for _, name := range slices.Sorted(maps.Keys(a.limits)) {
			text += " " + name + " " + a.limits[name]
		}
	}
	state := "UNLOCK"
	if a.locked {
		state = "LOCK"
	}
	text += " PASSWORD EXPIRE " + a.expire + " ACCOUNT " + state
	if w.since(8, 0) {
		for _, p := range policies {
			text += " " + p + " " + a.policy[p]
		}
		for _, p := range counts {
			if n := a.policy[p]; n != "" && n != "0" {
				text += " " + p + " " + n
			}
		}
	}
	return text
}

func joinWho(all []who) string {
	var texts []string
	for _, a := range all {
		texts = append(texts, a.String())
	}
	return strings.Join(texts, ",")
}

// showGrants is SHOW GRANTS FOR an account; with its active roles it is what SHOW GRANTS by itself prints.
func (w *Wire) showGrants(a *wireAccount, active []who) []string {
	grants, dynamic := w.withRoles(a, active)
	denied := a.denied
	to := " TO " + w.name(a.who)
	lines := []string{grantLine(grants["*.*"], "*.*", to)}
	for _, option := range []bool{false, true} {
		var names []string
		for _, d := range slices.Sorted(maps.Keys(dynamic)) {
			if dynamic[d] == option {
				names = append(names, d)
			}
		}
		if len(names) > 0 {
			lines = append(lines, "GRANT "+strings.Join(names, ",")+" ON *.*"+to+withOption(option, "GRANT"))
		}
	}
	for _, o := range slices.Sorted(maps.Keys(denied)) {
		if len(denied[o]) > 0 {
			lines = append(lines, "REVOKE "+strings.Join(slices.Sorted(maps.Keys(denied[o])), ", ")+" ON "+o+" FROM "+w.name(a.who))
		}
	}
	for _, o := range slices.Sorted(maps.Keys(grants)) {
		if o != "*.*" && len(grants[o]) > 0 {
			lines = append(lines, grantLine(grants[o], o, to))
		}
	}
	for _, option := range []bool{false, true} {
		var some []who
		for r, admin := range a.roles {
			if admin == option {
				some = append(some, r)
			}
		}
		if len(some) > 0 {
			slices.SortFunc(some, func(a, b who) int { return strings.Compare(a.String(), b.String()) })
			lines = append(lines, "GRANT "+joinWho(some)+to+withOption(option, "ADMIN"))
		}
	}
	for p, option := range a.proxies {
		lines = append(lines, "GRANT PROXY ON "+w.name(p)+to+withOption(option, "GRANT"))
	}
	return lines
}

// withRoles is what the account may do with some roles active.
func (w *Wire) withRoles(a *wireAccount, active []who) (grants map[string]map[string]bool, dynamic map[string]bool) {
	grants, dynamic = maps.Clone(a.grants), maps.Clone(a.dynamic)
	for _, r := range active {
		role := w.find(r.user, r.host)
		if role == nil {
			continue
		}
		for o, list := range role.grants {
			both := maps.Clone(list)
			maps.Copy(both, grants[o])
			grants[o] = both
		}
		for d := range role.dynamic {
			dynamic[d] = dynamic[d] || role.dynamic[d]
		}
	}
	return grants, dynamic
}

func withOption(on bool, kind string) string {
	if on {
		return " WITH " + kind + " OPTION"
	}
	return ""
}

// grantLine joins what is granted on one object: columns behind their privilege, GRANT OPTION at the end.
func grantLine(list map[string]bool, object, to string) string {
	var names []string
	columns := map[string][]string{}
	for p := range list {
		if name, column, ok := strings.Cut(p, " ("); ok {
			columns[name] = append(columns[name], strings.TrimSuffix(column, ")"))
		} else if p != "GRANT OPTION" {
			names = append(names, p)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return slices.Index(globals, a) - slices.Index(globals, b) })
	for _, name := range slices.Sorted(maps.Keys(columns)) {
		slices.Sort(columns[name])
		names = append(names, name+" ("+strings.Join(columns[name], ", ")+")")
	}
	if len(names) == 0 {
		names = []string{"USAGE"}
	}
	return "GRANT " + strings.Join(names, ", ") + " ON " + object + to + withOption(list["GRANT OPTION"], "GRANT")
}
