package local

type secretIn struct {
	SecretID string `json:"SecretId"`
}

func (in secretIn) check() error { return checkID(in.SecretID) }

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
	OwningService          string              `json:",omitempty"`
	PrimaryRegion          string              `json:",omitempty"`
	ReplicationStatus      []replicationStatus `json:",omitempty"`
	CreatedDate            *epoch
}

func (s region) describeSecret(in secretIn) (description, error) {
	sec, err := s.find(in.SecretID)
	if err != nil {
		return description{}, err
	}
	out := s.describe(sec)
	out.VersionIDsToStages = sec.versionStages()
	out.ReplicationStatus = s.replicationOf(sec)
	return out, nil
}

// primaryRegion is where the secret was made.
func (s *secret) primaryRegion() string { return firstOf(s.primary, s.region) }

// owningServiceTag marks what belongs to a service of AWS, such as RDS.
const owningServiceTag = "aws:secretsmanager:owningService"

func (s *secret) owningService() string {
	for _, t := range s.tags {
		if t.Key == owningServiceTag {
			return t.Value
		}
	}
	return ""
}

func (r region) describe(s *secret) description {
	out := description{
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
		OwningService:     s.owningService(),
		CreatedDate:       stamp(s.created),
	}
	if s.replica != nil || len(s.replicas) > 0 {
		out.PrimaryRegion = s.primaryRegion()
	}
	return out
}
