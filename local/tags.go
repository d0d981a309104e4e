package local

import "slices"

// maxTags is the most tags that a resource may have.
const maxTags = 50

type tagIn struct {
	SecretID string `json:"SecretId"`
	Tags     []tag
}

type empty struct{}

// tagResource adds tags, and overwrites those with the same key. Unlike the service it accepts keys that begin with
// "aws:", so that a secret that RDS manages can be imitated.
func (s *SecretsManager) tagResource(in tagIn) (empty, error) {
	sec, err := s.usable(in.SecretID)
	if err != nil {
		return empty{}, err
	}
	tags := slices.Clone(sec.tags)
	for _, t := range in.Tags {
		if i := slices.IndexFunc(tags, func(old tag) bool { return old.Key == t.Key }); i >= 0 {
			tags[i] = t
			continue
		}
		tags = append(tags, t)
	}
	if err := checkTags(tags); err != nil {
		return empty{}, err
	}
	sec.tags = tags
	return empty{}, nil
}

func checkTags(tags []tag) error {
	if len(tags) > maxTags {
		return fail(codeInvalidParameter, "A secret can have at most %d tags.", maxTags)
	}
	for i, t := range tags {
		if t.Key == "" || len(t.Key) > 128 || len(t.Value) > 256 {
			return fail(codeInvalidParameter, "A tag's key must be 1-128 characters long and its value at most 256.")
		}
		if slices.ContainsFunc(tags[:i], func(other tag) bool { return other.Key == t.Key }) {
			return fail(codeInvalidParameter, "A tag's key must occur only once.")
		}
	}
	return nil
}

type untagIn struct {
	SecretID string `json:"SecretId"`
	TagKeys  []string
}

func (s *SecretsManager) untagResource(in untagIn) (empty, error) {
	sec, err := s.usable(in.SecretID)
	if err != nil {
		return empty{}, err
	}
	sec.tags = slices.DeleteFunc(sec.tags, func(t tag) bool { return slices.Contains(in.TagKeys, t.Key) })
	return empty{}, nil
}
