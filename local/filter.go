package local

import (
	"slices"
	"strings"
	"unicode"
)

// filter is one condition of ListSecrets and BatchGetSecretValue. A secret matches if any value does; a value that
// starts with ! must not match (API reference, Filter; user guide, "Find secrets").
type filter struct {
	Key    string
	Values []string
}

func checkFilters(filters []filter) error {
	for _, f := range filters {
		if f.Key == "" {
			return fail(codeInvalidParameter, "Invalid filter key")
		}
		if len(f.Values) == 0 {
			return fail(codeInvalidParameter, "Invalid filter values for key: %s", f.Key)
		}
	}
	return nil
}

func (f filter) matches(s *secret) bool {
	wanted, found := false, false
	for _, value := range f.Values {
		if unwanted, negated := strings.CutPrefix(value, "!"); negated {
			if f.matchesValue(s, unwanted) {
				return false
			}
			continue
		}
		wanted = true
		found = found || f.matchesValue(s, value)
	}
	return found || !wanted
}

// matchesValue compares names, tags and regions by their beginnings, and a description as "all" does: by words. The latter was
// recorded of the service, though its manual says otherwise.
func (f filter) matchesValue(s *secret, value string) bool {
	switch f.Key {
	case "name":
		return strings.HasPrefix(s.name, value)
	case "description":
		return mentions(value, s.description)
	case "tag-key":
		return slices.ContainsFunc(s.tags, func(t tag) bool { return strings.HasPrefix(t.Key, value) })
	case "tag-value":
		return slices.ContainsFunc(s.tags, func(t tag) bool { return strings.HasPrefix(t.Value, value) })
	case "primary-region":
		return strings.HasPrefix(s.primaryRegion(), value)
	case "owning-service":
		return mentions(value, s.owningService())
	case "all":
		about := []string{s.name, s.description}
		for _, t := range s.tags {
			about = append(about, t.Key, t.Value)
		}
		return mentions(value, about...)
	}
	return false
}

// mentions tells whether each word of what is sought begins a word of the texts, in any case of letters.
func mentions(sought string, texts ...string) bool {
	var have []string
	for _, text := range texts {
		have = append(have, words(text)...)
	}
	wanted := words(sought)
	return len(wanted) > 0 && !slices.ContainsFunc(wanted, func(word string) bool {
		return !slices.ContainsFunc(have, func(w string) bool { return strings.HasPrefix(strings.ToLower(w), strings.ToLower(word)) })
	})
}

// words splits a text at spaces, and then each part at the characters /-_+=.@ and where small letters follow a capital one: MyTest is My
// and Test. A part with several of these characters, such as my/secret+value, is one word. (moto's tests, which were run against AWS.)
func words(text string) (all []string) {
	for _, part := range strings.Fields(text) {
		separators := map[rune]bool{}
		for _, r := range part {
			if strings.ContainsRune("/-_+=.@", r) {
				separators[r] = true
			}
		}
		if len(separators) > 1 {
			all = append(all, part)
			continue
		}
		for _, piece := range strings.FieldsFunc(part, func(r rune) bool { return separators[r] }) {
			all = append(all, splitAtCase(piece)...)
		}
	}
	return all
}

// splitAtCase splits before each capital letter that a small one follows, and after the small ones that follow it.
func splitAtCase(text string) (parts []string) {
	runes := []rune(text)
	start := 0
	for i := 1; i < len(runes); i++ {
		begins := !unicode.IsLower(runes[i]) && i+1 < len(runes) && unicode.IsLower(runes[i+1])
		ends := !unicode.IsLower(runes[i]) && unicode.IsLower(runes[i-1])
		if begins || ends {
			parts = append(parts, string(runes[start:i]))
			start = i
		}
	}
	if start < len(runes) {
		parts = append(parts, string(runes[start:]))
	}
	return parts
}
