package local

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"
)

type listSecretsIn struct {
	IncludePlannedDeletion bool
	MaxResults             *int
	NextToken              string
	Filters                []filter
	SortOrder              string
	SortBy                 string
}

type listSecretsOut struct {
	SecretList []description
	NextToken  string `json:",omitempty"`
}

func (in listSecretsIn) check() error { return checkFilters(in.Filters) }

func (s region) listSecrets(in listSecretsIn) (listSecretsOut, error) {
	found := s.matching(in.Filters, in.IncludePlannedDeletion)
	sortSecrets(found, in.SortBy, in.SortOrder)
	found, next, err := page(found, in.MaxResults, 100, in.NextToken)
	if err != nil {
		return listSecretsOut{}, err
	}
	out := listSecretsOut{SecretList: []description{}, NextToken: next}
	for _, sec := range found {
		entry := s.describe(sec)
		entry.SecretVersionsToStages = sec.versionStages()
		out.SecretList = append(out.SecretList, entry)
	}
	return out, nil
}

// sortSecrets sorts oldest first if neither a date nor an order is asked for, as was recorded of the service. With SortBy and no
// SortOrder the greatest comes first.
func sortSecrets(list []*secret, by, order string) {
	date := func(s *secret) time.Time { return s.created }
	switch by {
	case "":
		order = firstOf(order, "asc")
	case "last-accessed-date":
		date = func(s *secret) time.Time { return s.accessed }
	case "last-changed-date":
		date = func(s *secret) time.Time { return s.changed }
	case "name":
		date = func(*secret) time.Time { return time.Time{} }
	}
	slices.SortFunc(list, func(a, b *secret) int {
		c := cmp.Or(date(a).Compare(date(b)), cmp.Compare(a.name, b.name))
		if order != "asc" {
			return -c
		}
		return c
	})
}

// oldestFirst sorts as ListSecrets does by itself.
func oldestFirst(list []*secret) []*secret {
	sortSecrets(list, "", "")
	return list
}

// matching lists the secrets of the region that match all filters, in no order.
func (s region) matching(filters []filter, deleted bool) []*secret {
	var found []*secret
	for at, sec := range s.secrets {
		if at.region != s.name || s.expired(sec) || (!sec.deletion.IsZero() && !deleted) {
			continue
		}
		sec = s.shown(sec)
		if !slices.ContainsFunc(filters, func(f filter) bool { return !f.matches(sec) }) {
			found = append(found, sec)
		}
	}
	return found
}

// page cuts one page out of a list. The token is the place to go on, in a form that callers do not read.
func page[T any](list []T, size *int, most int, token string) ([]T, string, error) {
	count, start := most, 0
	if size != nil {
		count = *size
	}
	if token != "" {
		text, err := base64.RawURLEncoding.DecodeString(token)
		number, ok := strings.CutPrefix(string(text), "from ")
		start, _ = strconv.Atoi(number)
		if err != nil || !ok || start < 1 {
			return nil, "", fail(codeInvalidNextToken, "The NextToken value is invalid.")
		}
	}
	start = min(start, len(list))
	end := min(start+count, len(list))
	next := ""
	if end < len(list) {
		next = base64.RawURLEncoding.EncodeToString([]byte("from " + strconv.Itoa(end)))
	}
	return list[start:end], next, nil
}

type listVersionsIn struct {
	SecretID          string `json:"SecretId"`
	MaxResults        *int
	NextToken         string
	IncludeDeprecated bool
}

type listVersionsOut struct {
	identity
	Versions  []versionEntry
	NextToken string `json:",omitempty"`
}

type versionEntry struct {
	VersionID        string   `json:"VersionId"`
	VersionStages    []string `json:",omitempty"`
	LastAccessedDate *epoch   `json:",omitempty"`
	CreatedDate      *epoch
	KmsKeyIDs        []string `json:"KmsKeyIds"`
}

func (in listVersionsIn) check() error { return checkID(in.SecretID) }

// listSecretVersionIDs shows versions without a label only if asked for deprecated ones.
func (s region) listSecretVersionIDs(in listVersionsIn) (listVersionsOut, error) {
	sec, err := s.find(in.SecretID)
	if err != nil {
		return listVersionsOut{}, err
	}
	entries := []versionEntry{}
	for _, v := range sec.versions {
		stages := sec.stages(v.id)
		if len(stages) == 0 && !in.IncludeDeprecated {
			continue
		}
		entries = append(entries, versionEntry{
			VersionID: v.id, VersionStages: stages, LastAccessedDate: stamp(v.accessed), CreatedDate: stamp(v.created),
			KmsKeyIDs: []string{firstOf(sec.kmsKeyID, "DefaultEncryptionKey")},
		})
	}
	entries, next, err := page(entries, in.MaxResults, 100, in.NextToken)
	return listVersionsOut{identity: sec.identity(), Versions: entries, NextToken: next}, err
}
