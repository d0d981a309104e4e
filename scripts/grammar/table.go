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
			scriptdom("2016", "130"),
			scriptdom("2017", "140"),
			scriptdom("2019", "150"),
		},
		tag:  regexp.MustCompile(`_[a-z2-7]{10}`),
		open: "[", close: "]",
		fold:     func(name string) string { return name },
		suffixes: []string{"_clone"},
		own:      []string{"admin", "master", "model", "msdb", "us_english"},
		hard:     []string{"]", "\n", "[", "'", `"`, ";", "--", "/*", " ", "%", "$(", "漢", "😀"},
		batches:  map[string]int{"DECLARE @result int": 3},
	},
	{
		name: "oracle",
		readers: []reader{
			{
				name: "ANTLR's PL/SQL", command: []string{"node", readersFolder + "/plsql.js"},
				unknown: []exception{
					unknown(`REVOKE .*`, "REVOKE"),
					unknown(`GRANT .* ON SCHEMA .*`, "GRANT"),
					unknown(`ALTER USER .* EXPIRE PASSWORD ROLLOVER PERIOD`, "ALTER USER"),
				},
			},
			{
				name: "sqlfluff", command: []string{"python", readersFolder + "/sqlfluff_reader.py", "oracle"},
				unknown: []exception{unknown(`ALTER USER .*`, "ALTER USER")},
			},
		},
		tag:  regexp.MustCompile(`(?i)RT[A-Z2-7]{6}`),
		open: `"`, close: `"`,
		fold:     strings.ToUpper,
		suffixes: []string{"_CLONE"},
		own:      []string{"ADMIN", "SYS", "USERS", "TEMP", "DEFAULT"},
		hard:     []string{"'", ";", "--", " ", "%", `\`, "$", ", TO X", "漢"},
	},
	{
		name: "redshift",
		readers: []reader{
			{
				name: "sqlfluff", command: []string{"python", readersFolder + "/sqlfluff_reader.py", "redshift"},
				unknown: []exception{
					unknown(`GRANT (?:ASSUMEROLE ON|\w+ ON DATASHARE|(?:EXECUTE|ALL PRIVILEGES) ON MODEL|CREATE MODEL) .*`, "GRANT"),
					unknown(`REVOKE (?:ASSUMEROLE ON|\w+ ON DATASHARE|EXECUTE ON MODEL|CREATE MODEL) .*`, "REVOKE"),
					unknown(`REVOKE \w+ FOR (?:TABLES IN SCHEMA|COPY JOBS IN DATABASE) .*`, "REVOKE"),
				},
			},
			{
				name: "sqlglot", command: []string{"python", readersFolder + "/sqlglot_reader.py"},
				unknown: []exception{
					unknown(`CREATE USER .*`, "CREATE USER"),
					unknown(`ALTER USER .*`, "ALTER USER"),
					unknown(`ALTER GROUP .*`, "ALTER GROUP"),
					unknown(`(?i:BEGIN READ ONLY)`, "BEGIN"),
					unknown(`ALTER DEFAULT PRIVILEGES .*`, "ALTER DEFAULT PRIVILEGES"),
					unknown(`ALTER TABLE .* OWNER TO .*`, "ALTER TABLE"),
					unknown(`ALTER SCHEMA .* OWNER TO .*`, "ALTER SCHEMA"),
					unknown(`ATTACH MASKING POLICY .*`, "ATTACH MASKING POLICY"),
					unknown(`DETACH MASKING POLICY .*`, "DETACH MASKING POLICY"),
					unknown(`ATTACH RLS POLICY .*`, "ATTACH RLS POLICY"),
					unknown(`DETACH RLS POLICY .*`, "DETACH RLS POLICY"),
					unknown(`GRANT (?:ROLE|ASSUMEROLE ON|\w+ ON DATASHARE|(?:EXECUTE|ALL PRIVILEGES) ON MODEL|CREATE MODEL|[\w, ]+ FOR [\w ]+ IN) .*`, "GRANT"),
					unknown(`REVOKE (?:ROLE|ASSUMEROLE ON|\w+ ON DATASHARE|EXECUTE ON MODEL|CREATE MODEL|[\w, ]+ FOR [\w ]+ IN) .*`, "REVOKE"),
				},
			},
		},
		tag:  regexp.MustCompile(`_t[a-z2-7]{10}`),
		open: `"`, close: `"`,
		fold:     strings.ToLower,
		suffixes: []string{"_clone"},
		own:      []string{"admin", "dev", "infinity"},
		hard:     []string{`"`, "\n", "'", ";", "--", " ", "%", `\`, "$", "漢"},
	},
}

// scriptdom is Microsoft's parser for a release of SQL Server.
func scriptdom(release, parser string) reader {
	return reader{name: "ScriptDom " + release, platform: "linux/amd64", command: []string{"python", readersFolder + "/scriptdom.py", parser},
		unknown: []exception{
			unknown(`CREATE USER .* ALLOW_ENCRYPTED_VALUE_MODIFICATIONS = ON`, "CREATE USER"),
			unknown(`ALTER USER .* ALLOW_ENCRYPTED_VALUE_MODIFICATIONS = OFF`, "ALTER USER"),
			unknown(`GRANT .* ON DATABASE SCOPED CREDENTIAL::.*`, "GRANT database scoped credential permissions"),
			unknown(`GRANT .* ON EXTERNAL LANGUAGE::.*`, "CREATE EXTERNAL LANGUAGE"),
		}}
}
