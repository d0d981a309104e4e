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

func (s *SecretsManager) listSecrets(in listSecretsIn) (listSecretsOut, error) {
	if err := checkFilters(in.Filters); err != nil {
		return listSecretsOut{}, err
	}
	found := s.matching(in.Filters, in.IncludePlannedDeletion)
	if err := sortSecrets(found, in.SortBy, in.SortOrder); err != nil {
		return listSecretsOut{}, err
	}
	found, next, err := page(found, in.MaxResults, 100, in.NextToken)
	if err != nil {
		return listSecretsOut{}, err
	}
	out := listSecretsOut{SecretList: []description{}, NextToken: next}
	for _, sec := range found {
		entry := sec.describe()
		entry.SecretVersionsToStages = sec.versionStages()
		out.SecretList = append(out.SecretList, entry)
	}
	return out, nil
}

// sortSecrets sorts newest first unless asked otherwise.
func sortSecrets(list []*secret, by, order string) error {
	var date func(*secret) time.Time
	switch by {
	case "", "created-date":
		date = func(s *secret) time.Time { return s.created }
	case "last-accessed-date":
		date = func(s *secret) time.Time { return s.accessed }
	case "last-changed-date":
		date = func(s *secret) time.Time { return s.changed }
	case "name":
		date = func(*secret) time.Time { return time.Time{} }
	default:
		return fail(codeInvalidParameter, "SortBy must be created-date, last-accessed-date, last-changed-date or name.")
	}
	if order != "" && order != "asc" && order != "desc" {
		return fail(codeInvalidParameter, "SortOrder must be asc or desc.")
	}
	slices.SortFunc(list, func(a, b *secret) int {
		c := cmp.Or(date(a).Compare(date(b)), cmp.Compare(a.name, b.name))
		if order != "asc" {
			return -c
		}
		return c
	})
	return nil
}

// matching lists the secrets that match all filters, sorted by name.
func (s *SecretsManager) matching(filters []filter, deleted bool) []*secret {
	var found []*secret
	for _, sec := range s.secrets {
		if s.expired(sec) || (!sec.deletion.IsZero() && !deleted) {
			continue
		}
		if !slices.ContainsFunc(filters, func(f filter) bool { return !f.matches(sec, s.options.Region) }) {
			found = append(found, sec)
		}
	}
	slices.SortFunc(found, func(a, b *secret) int { return cmp.Compare(a.name, b.name) })
	return found
}

// page cuts one page out of a list. The token is the place to go on, in a form that callers do not read.
func page[T any](list []T, size *int, most int, token string) ([]T, string, error) {
	count, start := most, 0
	if size != nil {
		count = *size
	}
	if count < 1 || count > most {
		return nil, "", fail(codeInvalidParameter, "MaxResults must be 1-%d.", most)
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

// listSecretVersionIDs shows versions without a label only if asked for deprecated ones.
func (s *SecretsManager) listSecretVersionIDs(in listVersionsIn) (listVersionsOut, error) {
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
