package main

import (
	"regexp"
	"strings"
)

// engines are those of which no real server can be had.
var engines = []engine{
	{
		name: "sqlserver",
		readers: []reader{
			{name: "ScriptDom 2016", command: scriptdom("130")},
			{name: "ScriptDom 2017", command: scriptdom("140")},
			{name: "ScriptDom 2019", command: scriptdom("150")},
		},
		tag:  regexp.MustCompile(`_[a-z2-7]{10}`),
		open: "[", close: "]",
		fold:     func(name string) string { return name },
		suffixes: []string{"_clone"},
		own:      []string{"admin", "master", "msdb"},
		hard:     []string{"]", "[", "'", `"`, ";", "--", "/*", " ", "%", "$(", "漢", "😀"},
		batches:  map[string]int{"DECLARE @result int": 3},
	},
	{
		name:    "oracle",
		readers: []reader{{name: "ANTLR's PL/SQL", command: []string{"node", readersFolder + "/plsql.js"}}},
		tag:     regexp.MustCompile(`(?i)RT[A-Z2-7]{6}`),
		open:    `"`, close: `"`,
		fold:     strings.ToUpper,
		suffixes: []string{"_CLONE"},
		own:      []string{"ADMIN", "SYS", "USERS", "TEMP", "DEFAULT"},
		hard:     []string{"'", ";", "--", " ", "%", `\`, "$", ", TO x", "漢"},
	},
	{
		name: "redshift",
		readers: []reader{
			{name: "sqlfluff", command: []string{"python", readersFolder + "/sqlfluff_redshift.py"}},
			{name: "sqlglot", command: []string{"python", readersFolder + "/sqlglot_redshift.py"}},
		},
		tag:  regexp.MustCompile(`_t[a-z2-7]{10}`),
		open: `"`, close: `"`,
		fold:     strings.ToLower,
		suffixes: []string{"_clone"},
		own:      []string{"admin", "dev"},
		hard:     []string{`"`, "'", ";", "--", " ", "%", `\`, "$", "漢"},
	},
}

// scriptdom is Microsoft's parser of one version.
func scriptdom(version string) []string {
	return []string{"python", readersFolder + "/scriptdom.py", version}
}
