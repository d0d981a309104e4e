package local

import (
	"bytes"
	"slices"
	"time"
)

// The staging labels that the service itself moves.
const (
	labelCurrent  = "AWSCURRENT"
	labelPending  = "AWSPENDING"
	labelPrevious = "AWSPREVIOUS"
)

const (
	// keptVersions is about how many versions without a label the service keeps; none younger than
	// keptFor is deleted ("Secrets Manager ... removes deprecated versions when there are more than 100. ...
	// doesn't remove versions created less than 24 hours ago", user guide, "What's in a secret").
	keptVersions = 100
	keptFor      = 24 * time.Hour
	// maxLabels is the quota "staging labels attached across all versions of a secret", 20.
	maxLabels = 20
)

// secret is the state of one secret. It has no lock of its own: SecretsManager.mu guards it.
type secret struct {
	arn, name, region, description, kmsKeyID, kind string

	// created is finer than it is shown, so that secrets are listed in the order of their making.
	created, changed, accessed time.Time
	// deletion is when a secret pending deletion will go; zero if it is to stay.
	deletion time.Time
	// policy is the resource policy, empty for none.
	policy string
	// replicas are those of a primary, in the order of their making.
	replicas []replication
	// primary is the primary's region, empty if this is no replica. A replica has an ARN, a key and dates of its own, and no more.
	primary string
	// replica is set in the copy of a primary that find gives of a replica: the replica itself.
	replica *secret
	// tags is nil until the first tag; the service then shows an empty list for ever.
	tags []tag

	// versions are in the order of their making.
	versions []*version
	// labels is label -> version id, so that a label can be on one version only.
	labels Labels

	rotation rotation
}

// rotation is what DescribeSecret tells about rotation, and the runs so far.
type rotation struct {
	// enabled is nil until rotation is first configured.
	enabled  *bool
	function string
	rules    *rotationRules
	rotated  time.Time
	next     time.Time
	// runs is version id -> its latest run.
	runs map[string]*run
}

type tag struct{ Key, Value string }

// version is one version of a secret. A version that RotateSecret made has no value until PutSecretValue.
type version struct {
	id       string
	created  time.Time
	accessed time.Time
	value    *value
	// rotationToken is what PutSecretValue may quote; empty for a version that no rotation is for.
	rotationToken string
	// trial marks the version of RotateImmediately=false: only testSecret runs, and then it is removed.
	trial bool
}

// value is text or bytes, never both.
type value struct {
	text   *string
	binary []byte
}

func (v *value) equal(other *value) bool {
	if v == nil || other == nil {
		return v == other
	}
	if v.text == nil || other.text == nil {
		return v.text == nil && other.text == nil && bytes.Equal(v.binary, other.binary)
	}
	return *v.text == *other.text
}

func (s *secret) version(id string) *version {
	i := slices.IndexFunc(s.versions, func(v *version) bool { return v.id == id })
	if i < 0 {
		return nil
	}
	return s.versions[i]
}

// stages are the labels of a version, sorted as the service shows them.
func (s *secret) stages(id string) []string {
	var stages []string
	for label, on := range s.labels {
		if on == id {
			stages = append(stages, label)
		}
	}
	slices.Sort(stages)
	return stages
}

// versionStages is what DescribeSecret shows: versions without a label are deprecated and left out.
func (s *secret) versionStages() map[string][]string {
	shown := map[string][]string{}
	for _, v := range s.versions {
		if stages := s.stages(v.id); len(stages) > 0 {
			shown[v.id] = stages
		}
	}
	return shown
}

// attach puts labels on a version, taking them off any other. AWSPREVIOUS follows AWSCURRENT, and AWSPENDING leaves the version that
// loses AWSCURRENT: else a rotation that ended would look like one that has not. checkRoom has to be asked first, so that an operation
// changes all or nothing.
func (s *secret) attach(id string, labels ...string) {
	for _, label := range labels {
		before, attached := s.labels[label]
		s.labels[label] = id
		if label == labelCurrent && attached && before != id {
			s.labels[labelPrevious] = before
			if s.labels[labelPending] == before {
				delete(s.labels, labelPending)
			}
		}
	}
}

// checkRoom tells whether the secret may have those labels beside the ones it has.
func (s *secret) checkRoom(labels ...string) error {
	total := len(s.labels)
	for i, label := range labels {
		if _, attached := s.labels[label]; !attached && !slices.Contains(labels[:i], label) {
			total++
		}
	}
	if total > maxLabels {
		return fail(codeLimitExceeded, "A secret can have at most %d staging labels.", maxLabels)
	}
	return nil
}

// add makes a version with those labels.
func (s *secret) add(v *version, labels ...string) error {
	// The first version of a secret always becomes the current one (API reference, PutSecretValue).
	if len(s.versions) == 0 && v.value != nil && !slices.Contains(labels, labelCurrent) {
		labels = append([]string{labelCurrent}, labels...)
	}
	if err := s.checkRoom(labels...); err != nil {
		return err
	}
	s.versions = append(s.versions, v)
	s.attach(v.id, labels...)
	return nil
}

// remove takes a version and its labels away for good.
func (s *secret) remove(id string) {
	s.versions = slices.DeleteFunc(s.versions, func(v *version) bool { return v.id == id })
	for _, label := range s.stages(id) {
		delete(s.labels, label)
	}
}

// prune drops the oldest deprecated versions beyond those that the service keeps.
func (s *secret) prune(now time.Time) {
	var deprecated []*version
	for _, v := range s.versions {
		if len(s.stages(v.id)) == 0 {
			deprecated = append(deprecated, v)
		}
	}
	for i := 0; i < len(deprecated)-keptVersions; i++ {
		if now.Sub(deprecated[i].created) >= keptFor {
			s.remove(deprecated[i].id)
		}
	}
}

// day is the date on which something was last accessed: the service shows no time of day.
func day(t time.Time) time.Time { return t.Truncate(24 * time.Hour) }
