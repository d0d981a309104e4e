package operate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// settings are those that mean the same to AWS's functions and to Rotor's, with what
// holds where they are not set.
// Source: Secrets Manager user guide, "Secrets Manager rotation function templates".
var settings = map[string]string{
	"EXCLUDE_CHARACTERS":         `:/@"'\`,
	"PASSWORD_LENGTH":            "32",
	"EXCLUDE_NUMBERS":            "false",
	"EXCLUDE_PUNCTUATION":        "false",
	"EXCLUDE_UPPERCASE":          "false",
	"EXCLUDE_LOWERCASE":          "false",
	"REQUIRE_EACH_INCLUDED_TYPE": "true",
}

// parameter is what template.yaml calls a setting.
func parameter(setting string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(setting, "_") {
		b.WriteString(word[:1] + strings.ToLower(word[1:]))
	}
	return b.String()
}

// Differences says in what a function of Rotor's is set otherwise than the function
// of AWS's that it is to replace: a line for each, with what to set.
func Differences(from, to map[string]string) (lines []string) {
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		was, is := cmp.Or(from[name], settings[name]), cmp.Or(to[name], settings[name])
		if !strings.EqualFold(was, is) {
			lines = append(lines, fmt.Sprintf("%s is %q, and was %q: deploy with %s=%q to keep that", name, is, was, parameter(name), was))
		}
	}
	return lines
}

// Strategy is the one that a function of AWS's follows, by its name or description:
// "" if these do not tell.
func Strategy(name, description string) string {
	about := strings.ToLower(strings.NewReplacer(" ", "", "-", "", "_", "").Replace(name + " " + description))
	switch {
	case strings.Contains(about, "multiuser"), strings.Contains(about, "alternatinguser"):
		return "alternating-users"
	case strings.Contains(about, "singleuser"):
		return "single-user"
	}
	return ""
}
