package mysqltest

import (
	"maps"
	"slices"
	"strings"
)

// shown prints an account as 5.7 does: it leaves quotes in names as they are.
func (w who) shown() string { return "'" + w.user + "'@'" + w.host + "'" }

// definition is SHOW CREATE USER. Who may not read mysql.user sees no hash.
func (a *wireAccount) definition(secret bool) string {
	text := "CREATE USER " + a.shown() + " IDENTIFIED WITH '" + nativePlugin + "'"
	switch {
	case secret:
		text += " AS <secret>"
	case a.password != "":
		text += " AS '" + a.hash() + "'"
	}
	text += " REQUIRE " + a.require
	if len(a.limits) > 0 {
		text += " WITH"
		for _, name := range limitNames {
			if value, ok := a.limits[name]; ok {
				text += " " + name + " " + value
			}
		}
	}
	text += " PASSWORD EXPIRE"
	if !a.expired {
		text += " " + a.expire
	}
	if a.locked {
		return text + " ACCOUNT LOCK"
	}
	return text + " ACCOUNT UNLOCK"
}

// showGrants is SHOW GRANTS.
func (a *wireAccount) showGrants() []string {
	to := " TO " + a.shown()
	lines := []string{grantLine(a.grants["*.*"], "*.*", to)}
	for _, o := range slices.Sorted(maps.Keys(a.grants)) {
		if o != "*.*" && len(a.grants[o]) > 0 {
			lines = append(lines, grantLine(a.grants[o], o, to))
		}
	}
	for p, option := range a.proxies {
		lines = append(lines, "GRANT PROXY ON "+p.shown()+to+withOption(option))
	}
	return lines
}

func withOption(on bool) string {
	if on {
		return " WITH GRANT OPTION"
	}
	return ""
}

// grantLine joins what is granted on one object: columns behind their privilege, GRANT OPTION at the end.
func grantLine(list map[string]bool, object, to string) string {
	var names []string
	columns := map[string][]string{}
	for p := range list {
		if name, column, ok := strings.Cut(p, " ("); ok {
			columns[name] = append(columns[name], strings.Trim(column, "`)"))
			if !list[name] && !slices.Contains(names, name) {
				names = append(names, name)
			}
		} else if p != "GRANT OPTION" {
			names = append(names, p)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return slices.Index(globals, a) - slices.Index(globals, b) })
	names = slices.Compact(names)
	for i, name := range names {
		if len(columns[name]) > 0 {
			slices.Sort(columns[name])
			both := ""
			if list[name] {
				both = name + ", "
			}
			names[i] = both + name + " (" + strings.Join(columns[name], ", ") + ")"
		}
	}
	switch {
	case len(names) == 0:
		names = []string{"USAGE"}
	case object == "*.*" && hasAll(list):
		names = []string{"ALL PRIVILEGES"}
	}
	return "GRANT " + strings.Join(names, ", ") + " ON " + object + to + withOption(list["GRANT OPTION"])
}
