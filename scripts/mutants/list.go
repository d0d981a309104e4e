package main

// mutants are mistakes that somebody could make, and that would break a promise.
var mutants = []mutant{
	// Never locked out.
	{"the pending password is tried first", "framework/database/single.go",
		"func() (Login, bool, error) { return p.current, true, nil },\n\t\tfunc() (Login, bool, error) { return p.pending, true, nil },",
		"func() (Login, bool, error) { return p.pending, true, nil },\n\t\tfunc() (Login, bool, error) { return p.current, true, nil },",
		"./framework/database", ""},
	{"a pending value is not what an earlier run wrote", "framework/secretsmanager/store.go",
		"if errors.As(err, &exists) {", "if errors.As(err, &exists) && false {", "./framework/secretsmanager", ""},
	{"a password set by an earlier run is not recognised", "framework/database/single.go",
		"if user.role == rotation.Pending {\n\t\treturn nil", "if user.role == rotation.Pending {\n\t\treturn errors.ErrUnsupported", "./framework/database", ""},
	{"a version without a value is promoted", "framework/rotation/run.go",
		"\tif v.Pending.IsZero() {\n\t\treturn r.noValue().Again()\n\t}\n\terr := r.Store.Promote", "\terr := r.Store.Promote", "./framework/rotation", ""},
	{"a version is promoted without a test", "framework/database/rotator.go",
		"\tdefer closing(conn)\n\treturn checking(ctx, conn, pending)\n}", "\tdefer closing(conn)\n\treturn nil\n}", "./framework/database", ""},
	{"testSecret does not log in", "framework/database/rotator.go",
		"\tconn, err := r.connect(ctx, pending)\n\tif err != nil {\n\t\treturn err\n\t}\n\tdefer closing(conn)\n\treturn checking(ctx, conn, pending)", "\t_ = pending\n\treturn nil", "./framework/database", ""},
	{"what was promoted by another run is an error", "framework/rotation/run.go",
		"now.version(Current) == r.ev.Token {", "now.version(Current) == r.ev.Token && false {", "./framework/rotation", ""},
	{"a finished step is done again", "framework/rotation/plan.go",
		"return false, nil // an earlier run finished", "return true, nil // an earlier run finished", "./framework/rotation", ""},
	{"a label that moves meanwhile is not seen", "framework/rotation/run.go", "\tif r.finished(v) {\n\t\treturn nil\n\t}\n", "", "./framework/rotation", ""},
	{"RotationToken is dropped", "framework/secretsmanager/store.go",
		`if e.RotationToken != "" {`, "if false {", "./framework/secretsmanager", ""},
	{"a new account can log in before it is whole", "rotators/mysql/clone.go",
		`s.options(k.facts) + " ACCOUNT LOCK"`, `s.options(k.facts)`, "./rotators/mysql", "CutShort"},
	{"a password that lets nobody in is not noticed", "framework/database/change.go",
		"\tif err != nil || refused == nil {\n\t\treturn err\n\t}\n\t// The old", "\treturn err\n\t// The old", "./framework/database", ""},
	{"a password that lets nobody in is not put back", "framework/database/change.go",
		"if err := r.set(ctx, conn, by, user, \"\", \"\"); err != nil {", "if false {", "./framework/database", ""},
	{"a password that was used before is not looked at", "framework/database/change.go",
		"if errors.Is(err, ErrReused) {", "if false {", "./rotators/oracle", "Reuse"},
	{"an edit of the secret is undone", "framework/database/rotator.go",
		"if fields := differing(v); len(fields) > 0 {", "if fields := differing(v); len(fields) > 99 {", "./framework/database", ""},
	{"the old password is dropped by a second run (MySQL)", "rotators/mysql/overlap.go",
		"err = c.exec(ctx, c.alterOwn(f, password, f.replaces(), retain))\n\tif", "err = c.exec(ctx, c.alterOwn(f, password, false, retain))\n\tif", "./rotators/mysql", "LostReply"},
	{"the old password is dropped by an administrator's second run (MySQL)", "rotators/mysql/overlap.go",
		"if marked {", "if marked && false {", "./rotators/mysql", "TestConformanceOfRealServers"},
	{"two runs keep no lock on a user", "rotators/mysql/overlap.go",
		"\t\tif err := c.lock(ctx, change.Target.User); err != nil {\n\t\t\treturn err\n\t\t}\n", "", "./rotators/mysql", "TestConformanceOfRealServers"},
	{"the user of another database is taken (MongoDB)", "rotators/documentdb/user.go",
		"return c.in(name), nil", "return c, nil", "./rotators/documentdb", "AUserOfAnother|TwoDatabases"},

	// No clone with fewer rights.
	{"rights are not compared", "framework/database/compare.go",
		"if missing := lacking(has, needs); len(missing) > 0 {", "if missing := lacking(has, needs); false {", "./framework/database", ""},
	{"a clone does not become its original", "rotators/postgres/settings.go",
		`return append(slices.Clone(settings), setting{"", "role", original})`, "return settings", "./rotators/postgres", "TestWhat|TestTheClone|TestAClone"},
	{"what the clone made stays the clone's", "rotators/postgres/clone.go", "\t\tk.handOver,\n", "", "./rotators/postgres", "TestWhat|TestTheClone|TestAClone"},
	{"the clone keeps what the original lost (PostgreSQL)", "rotators/postgres/clone.go", "\t\tk.revokeExcess,\n", "", "./rotators/postgres", "TestWhat|TestTheClone|TestAClone"},
	{"grants are skipped (MySQL)", "rotators/mysql/clone.go", "\t\tk.equalize,\n", "", "./rotators/mysql", "TestAClone"},
	{"a refused grant is swallowed (MySQL)", "rotators/mysql/equalize.go",
		"\t\t\treturn k.lacks(err, k.facts, fmt.Sprintf(ch.remedy, k.self))\n\t\t}\n\t}\n\treturn nil\n}\n\n// grantAbsent", "\t\t}\n\t}\n\treturn nil\n}\n\n// grantAbsent", "./rotators/mysql", ""},
	{"groups are not copied (Redshift)", "rotators/redshift/clone.go", "\t\tgroupChanges(clone, to.groups, from.groups),\n", "", "./rotators/redshift", "Clone|Conformance"},
	{"roles are only added (DocumentDB)", "rotators/documentdb/clone.go",
		`{"revokeRolesFromUser", without(has.Roles, want.Roles)}`, `{"revokeRolesFromUser", nil}`, "./rotators/documentdb", "Clone"},
	{"denials are not copied (SQL Server)", "rotators/sqlserver/change.go", "p.gain(of), p.restrict(of), p.lose(of)", "p.gain(of), p.lose(of)", "./rotators/sqlserver", "Clone|Den|Change|Follow|Same"},
	{"rights in one database alone (SQL Server)", "rotators/sqlserver/clone.go", "\treturn c.each(ctx, from, func(p place) error {\n\t\twant, has", "\treturn c.each(ctx, from, func(p place) error {\n\t\tif p.name != c.login.Database {\n\t\t\treturn nil\n\t\t}\n\t\twant, has", "./rotators/sqlserver", "Clone|Database|Conformance/.*/.*/Healthy"},
	{"what the original owns is not shared (Oracle)", "rotators/oracle/clone.go", "\t\tsharing(k.clone, to.grants, from.owned),\n", "", "./rotators/oracle", "Clone|Shared|Golden"},

	// No refused login, no locked account.
	{"an unknown error is retried", "framework/rotation/errors.go",
		"return errors.As(err, &f) && f.Transient", "return !errors.As(err, &f) || f.Transient", "./framework/rotation", ""},
	{"any error leads to the next password", "framework/database/single.go",
		"\t\tif !errors.Is(err, ErrLoginRefused) {\n\t\t\treturn nil, l, err\n\t\t}\n\t\trefusals", "\t\trefusals", "./framework/database", ""},

	{"the old password is not proven (Oracle)", "rotators/oracle/password.go", `statement += " REPLACE " + quotePassword(c.login.Password)`, `_ = statement`, "./rotators/oracle", "Password|Golden|Verify"},

	// Quoting.
	{"a quote ends a literal (SQL Server)", "rotators/sqlserver/quote.go", "strings.ReplaceAll(text, `'`, `''`)", "text", "./rotators/sqlserver", "Fuzz"},
	{"a quote ends a password (Oracle)", "rotators/oracle/password.go", `password == "" || strings.ContainsAny(password, "\"\x00")`, `password == ""`, "./rotators/oracle", "Password"},
	{"a quote ends a name (PostgreSQL, Redshift)", "rotators/internal/pgwire/names.go", "`\"` + strings.ReplaceAll(name, `\"`, `\"\"`) + `\"`", "`\"` + name + `\"`", "./rotators/internal/pgwire", ""},

	// The password is never seen.
	{"a note is not redacted", "framework/rotation/engine.go", `"note", r.redact(note)`, `"note", note`, "./framework/rotation", ""},
	{"a cause is not redacted", "framework/rotation/errors.go", "Cause: redact(err.Error())", "Cause: err.Error()", "./framework/rotation", ""},
	{"a retry logs the driver's error", "framework/rotation/engine.go", `"cause", r.redact(err.Error()), "waitMs"`, `"cause", err.Error(), "waitMs"`, "./framework/rotation", ""},
	{"a panic's value is printed", "framework/rotation/safety.go", `what := fmt.Sprintf("a value of type %T", value)`, "what := fmt.Sprint(value)", "./framework/rotation", ""},
	{"RotationToken is not redacted", "framework/rotation/safety.go", `if r.token != "" {`, "if false {", "./framework/rotation", ""},
	{"the password is sent in place of its hash", "rotators/postgres/password.go", "stored, err := f.verifier(password)", "stored, err := password, error(nil)", "./rotators/postgres", "TestTheServersLog"},
	{"a login prints its password", "framework/database/login.go", `"%s user %q at %s", l.role, l.User, l.Address()`, `"%s user %q at %s, %s", l.role, l.User, l.Address(), l.Password`, "./framework/database", ""},

	// Verified TLS, and nothing sent elsewhere.
	{"the certificate is not verified", "framework/database/tls.go", "MinVersion: tls.VersionTLS12,", "MinVersion: tls.VersionTLS12, InsecureSkipVerify: true,", "./functions/redshift", "Trusted"},
	{"plain text is always allowed", "framework/database/tls.go", `l.plaintext = r.Plaintext && ssl == ""`, "l.plaintext = true", "./framework/database", ""},
	{"plain text although the secret demands TLS", "framework/database/tls.go", `l.plaintext = r.Plaintext && ssl == ""`, "l.plaintext = r.Plaintext", "./framework/database", ""},
	{"an administrator's secret may name another server", "framework/database/administrator.go", "return l, sameServer(l, p.current)", "return l, nil", "./framework/database", ""},
	{"a secret that does not log in borrows the administrator", "framework/database/alternating.go",
		"\tconn, err := r.connect(ctx, p.current)\n\tif err != nil {\n\t\treturn err\n\t}\n\tclosing(conn)\n", "", "./framework/database", ""},
	{"a managed secret of another account is taken", "framework/database/managed.go", "arnPart(arn, arnAccount) == account", "true", "./framework/database", ""},

	// Every failure says what to do.
	{"a refused login has no class", "framework/database/driver.go", "&rotation.Fault{Class: rotation.LoginRefused,", "&rotation.Fault{Class: rotation.Unknown,", "./framework/database", ""},
	{"a wrong setting is ignored", "framework/serve/config.go", "return c, errors.Join(env.errs...)", "return c, nil", "./framework/serve", ""},
}
