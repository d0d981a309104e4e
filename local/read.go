package local

import "errors"

type getSecretValueIn struct {
	SecretID     string  `json:"SecretId"`
	VersionID    *string `json:"VersionId"`
	VersionStage *string
}

type getSecretValueOut struct {
	identity
	VersionID     string   `json:"VersionId"`
	SecretBinary  []byte   `json:",omitempty"`
	SecretString  *string  `json:",omitempty"`
	VersionStages []string `json:",omitempty"`
	CreatedDate   *epoch
}

func (in getSecretValueIn) check() error { return checkID(in.SecretID) }

func (s region) getSecretValue(in getSecretValueIn) (getSecretValueOut, error) {
	sec, err := s.usable(in.SecretID)
	if err != nil {
		return getSecretValueOut{}, err
	}
	v, err := sec.choose(in)
	if err != nil {
		return getSecretValueOut{}, err
	}
	return s.read(sec, v), nil
}

// read gives out a version and notes the access.
func (s region) read(sec *secret, v *version) getSecretValueOut {
	v.accessed = day(s.now())
	sec.accessed = v.accessed
	if sec.replica != nil {
		sec.replica.accessed = v.accessed
	}
	return getSecretValueOut{
		identity:      sec.identity(),
		VersionID:     v.id,
		SecretBinary:  v.value.binary,
		SecretString:  v.value.text,
		VersionStages: sec.stages(v.id),
		CreatedDate:   stamp(v.created),
	}
}

// choose finds the version that GetSecretValue asks for: by id, by label, by both if they belong together, else
// AWSCURRENT. A version without a value is not found.
func (s *secret) choose(in getSecretValueIn) (*version, error) {
	label := labelCurrent
	if in.VersionStage != nil {
		label = *in.VersionStage
	}
	if in.VersionID == nil {
		v := s.version(s.labels[label])
		if v == nil || v.value == nil {
			return nil, noLabel(label)
		}
		return v, nil
	}
	v := s.version(*in.VersionID)
	switch {
	case v == nil:
		return nil, noVersion(*in.VersionID)
	case in.VersionStage != nil && s.labels[label] != v.id:
		return nil, fail(codeInvalidRequest, textStageVersion)
	case v.value == nil && in.VersionStage != nil:
		return nil, noLabel(label)
	case v.value == nil:
		return nil, noVersion(v.id)
	}
	return v, nil
}

type batchIn struct {
	SecretIDList []string `json:"SecretIdList"`
	Filters      []filter
	MaxResults   *int
	NextToken    string
}

type batchOut struct {
	SecretValues []getSecretValueOut
	Errors       []batchError
	NextToken    string `json:",omitempty"`
}

type batchError struct {
	SecretID  string `json:"SecretId"`
	ErrorCode string
	Message   string
}

func (in batchIn) check() error {
	switch {
	case len(in.SecretIDList) > 0 && len(in.Filters) > 0:
		return fail(codeInvalidParameter, "Either 'SecretIdList' or 'Filters' must be provided, but not both.")
	case len(in.SecretIDList) == 0 && len(in.Filters) == 0:
		return fail(codeInvalidParameter, "You must provide either SecretIdList or Filters.")
	case len(in.SecretIDList) > 0 && in.MaxResults != nil:
		return fail(codeInvalidParameter, "'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided.")
	case len(in.SecretIDList) > 0 && in.NextToken != "":
		return fail(codeInvalidParameter, "NextToken goes with Filters only.")
	}
	for _, id := range in.SecretIDList {
		if err := checkID(id); err != nil {
			return err
		}
	}
	return checkFilters(in.Filters)
}

// batchGetSecretValue reads AWSCURRENT of several secrets. What fails for one of them is in Errors.
func (s region) batchGetSecretValue(in batchIn) (batchOut, error) {
	ids, next, err := s.batchIDs(in)
	if err != nil {
		return batchOut{}, err
	}
	out := batchOut{SecretValues: []getSecretValueOut{}, Errors: []batchError{}, NextToken: next}
	for _, id := range ids {
		value, err := s.getSecretValue(getSecretValueIn{SecretID: id})
		var refused *serviceError
		if errors.As(err, &refused) {
			out.Errors = append(out.Errors, batchError{SecretID: id, ErrorCode: refused.code, Message: refused.message})
			continue
		}
		out.SecretValues = append(out.SecretValues, value)
	}
	return out, nil
}

func (s region) batchIDs(in batchIn) (ids []string, next string, err error) {
	if len(in.SecretIDList) > 0 {
		return in.SecretIDList, "", nil
	}
	found, next, err := page(oldestFirst(s.matching(in.Filters, false)), in.MaxResults, 20, in.NextToken)
	for _, sec := range found {
		ids = append(ids, sec.arn)
	}
	return ids, next, err
}
