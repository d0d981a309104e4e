package local

type secretIn struct {
	SecretID string `json:"SecretId"`
}

// description is one secret in DescribeSecret and in ListSecrets, which name the versions differently.
type description struct {
	identity
	Type                   string              `json:",omitempty"`
	Description            string              `json:",omitempty"`
	KmsKeyID               string              `json:"KmsKeyId,omitempty"`
	RotationEnabled        *bool               `json:",omitempty"`
	RotationLambdaARN      string              `json:",omitempty"`
	RotationRules          *rotationRules      `json:",omitempty"`
	LastRotatedDate        *epoch              `json:",omitempty"`
	LastChangedDate        *epoch              `json:",omitempty"`
	LastAccessedDate       *epoch              `json:",omitempty"`
	DeletedDate            *epoch              `json:",omitempty"`
	NextRotationDate       *epoch              `json:",omitempty"`
	Tags                   []tag               `json:",omitzero"`
	VersionIDsToStages     map[string][]string `json:"VersionIdsToStages,omitempty"`
	SecretVersionsToStages map[string][]string `json:",omitempty"`
	CreatedDate            *epoch
}

func (s *SecretsManager) describeSecret(in secretIn) (description, error) {
	sec, err := s.find(in.SecretID)
	if err != nil {
		return description{}, err
	}
	out := sec.describe()
	out.VersionIDsToStages = sec.versionStages()
	return out, nil
}

func (s *secret) describe() description {
	return description{
		identity:          s.identity(),
		Type:              s.kind,
		Description:       s.description,
		KmsKeyID:          s.kmsKeyID,
		RotationEnabled:   s.rotation.enabled,
		RotationLambdaARN: s.rotation.function,
		RotationRules:     s.rotation.rules.shown(),
		LastRotatedDate:   stamp(s.rotation.rotated),
		LastChangedDate:   stamp(s.changed),
		LastAccessedDate:  stamp(s.accessed),
		DeletedDate:       stamp(s.deletion),
		NextRotationDate:  stamp(s.rotation.next),
		Tags:              s.tags,
		CreatedDate:       stamp(s.created),
	}
}
