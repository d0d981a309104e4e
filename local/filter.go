package local

import (
	"slices"
	"strings"
)

// filter is one condition of ListSecrets and BatchGetSecretValue. A secret matches if any value does; a value that
// starts with ! must not match (API reference, Filter; user guide, "Find secrets").
type filter struct {
	Key    string
	Values []string
}

func checkFilters(filters []filter) error {
	if len(filters) > 10 {
		return fail(codeInvalidParameter, "Filters must have at most 10 filters.")
	}
	keys := []string{"description", "name", "tag-key", "tag-value", "primary-region", "owning-service", "all"}
	for _, f := range filters {
		if !slices.Contains(keys, f.Key) {
			return fail(codeInvalidParameter, "A filter's Key must be one of %s.", strings.Join(keys, ", "))
		}
		if len(f.Values) < 1 || len(f.Values) > 10 {
			return fail(codeInvalidParameter, "A filter must have 1-10 Values.")
		}
		for _, value := range f.Values {
			if len(value) > 512 || !only(value, alphanumeric+" :_@/+=.-!") {
				return fail(codeInvalidParameter, "A filter's value must be at most 512 letters, digits, spaces and :_@/+=.-!")
			}
		}
	}
	return nil
}

func (f filter) matches(s *secret, region string) bool {
	wanted, found := false, false
	for _, value := range f.Values {
		if unwanted, negated := strings.CutPrefix(value, "!"); negated {
			if f.matchesValue(s, region, unwanted) {
				return false
			}
			continue
		}
		wanted = true
		found = found || f.matchesValue(s, region, value)
	}
	return found || !wanted
}

func (f filter) matchesValue(s *secret, region, value string) bool {
	switch f.Key {
	case "name":
		return strings.HasPrefix(s.name, value)
	case "description":
		return strings.HasPrefix(strings.ToLower(s.description), strings.ToLower(value))
	case "tag-key":
		return slices.ContainsFunc(s.tags, func(t tag) bool { return strings.HasPrefix(t.Key, value) })
	case "tag-value":
		return slices.ContainsFunc(s.tags, func(t tag) bool { return strings.HasPrefix(t.Value, value) })
	case "primary-region":
		return strings.HasPrefix(region, value)
	case "all":
		return s.mentions(value)
	}
	return false // owning-service: no secret here has one.
}

// mentions tells whether each word of text occurs in the secret's name, description or tags, in any case.
func (s *secret) mentions(text string) bool {
	about := s.name + "\n" + s.description
	for _, t := range s.tags {
		about += "\n" + t.Key + "\n" + t.Value
	}
	about = strings.ToLower(about)
	return !slices.ContainsFunc(strings.Fields(strings.ToLower(text)), func(word string) bool {
		return !strings.Contains(about, word)
	})
}
