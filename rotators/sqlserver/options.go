package sqlserver

import "strings"

// clauses are what CREATE and ALTER say of the options of a principal that had
// others, apart from the credential.
func (o options) clauses(contained bool, was options) string {
	var all []string
	add := func(name, value string) {
		if value != "" {
			all = append(all, name+" = "+value)
		}
	}
	if contained {
		add("DEFAULT_SCHEMA", quoted(o.schema))
		if add("DEFAULT_LANGUAGE", quoted(o.language)); o.language == "" && was.language != "" {
			add("DEFAULT_LANGUAGE", "NONE")
		}
		if o.encrypted != was.encrypted {
			add("ALLOW_ENCRYPTED_VALUE_MODIFICATIONS", onOff(o.encrypted))
		}
		return strings.Join(all, ", ")
	}
	add("DEFAULT_DATABASE", quoted(o.database))
	add("DEFAULT_LANGUAGE", quoted(o.language))
	if o.plain {
		add("CHECK_EXPIRATION", onOff(o.expiration))
		add("CHECK_POLICY", onOff(o.policy))
	}
	return strings.Join(all, ", ")
}

func quoted(name string) string {
	if name == "" {
		return ""
	}
	return ident(name)
}

func onOff(on bool) string {
	if on {
		return "ON"
	}
	return "OFF"
}

func credentialClause(o options) string {
	if o.credential == "" {
		return " WITH NO CREDENTIAL"
	}
	return " WITH CREDENTIAL = " + ident(o.credential)
}

// trimComma ends a list that turned out to be empty.
func trimComma(statement string) string { return strings.TrimSuffix(statement, ", ") }
