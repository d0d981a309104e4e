package local

import "slices"

// maxTags is the most tags that a resource may have.
const maxTags = 50

type tagIn struct {
	SecretID string `json:"SecretId"`
	Tags     []tag
}

func (in tagIn) check() error {
	if err := checkTags(in.Tags); err != nil {
		return err
	}
	return checkID(in.SecretID)
}

type empty struct{}

// tagResource adds tags, and overwrites those with the same key. Unlike the service it accepts keys that begin with
// "aws:", so that a secret that RDS manages can be imitated.
func (s region) tagResource(in tagIn) (empty, error) {
	sec, err := s.changeable(in.SecretID)
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
		if t.Key == "" {
			return fail(codeInvalidParameter, "A tag must have a key.")
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

func (in untagIn) check() error { return checkID(in.SecretID) }

func (s region) untagResource(in untagIn) (empty, error) {
	sec, err := s.changeable(in.SecretID)
	if err != nil {
		return empty{}, err
	}
	sec.tags = slices.DeleteFunc(sec.tags, func(t tag) bool { return slices.Contains(in.TagKeys, t.Key) })
	return empty{}, nil
}
