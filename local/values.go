package local

import "strings"

// maxValue is the most bytes that a secret value may have. The service model counts its characters; the quota ("Secret value size")
// its bytes.
const maxValue = 65536

// identity opens most replies.
type identity struct {
	ARN  string
	Name string
}

func (s *secret) identity() identity { return identity{ARN: s.arn, Name: s.name} }

type createSecretIn struct {
	Name, ClientRequestToken, Description string
	KmsKeyID                              string `json:"KmsKeyId"`
	SecretBinary                          []byte
	SecretString                          *string
	Tags                                  []tag
	Type                                  string
	AddReplicaRegions                     []replicaRegion
	ForceOverwriteReplicaSecret           bool
}

type versionOut struct {
	identity
	VersionID string `json:"VersionId,omitempty"`
}

type createSecretOut struct {
	versionOut
	ReplicationStatus []replicationStatus `json:",omitempty"`
}

func (in createSecretIn) check() error {
	val, err := newValue(in.SecretString, in.SecretBinary)
	switch {
	case err != nil:
	case val != nil || in.ClientRequestToken != "":
		err = checkToken(in.ClientRequestToken, codeInvalidRequest)
	}
	if err == nil {
		err = checkName(in.Name)
	}
	if err == nil {
		err = checkTags(in.Tags)
	}
	if err != nil {
		return err
	}
	return checkRegions(in.AddReplicaRegions)
}

func (s region) createSecret(in createSecretIn) (createSecretOut, error) {
	val, err := newValue(in.SecretString, in.SecretBinary)
	if err == nil {
		err = s.checkKey(in.KmsKeyID)
	}
	if err != nil {
		return createSecretOut{}, err
	}
	if old := s.secrets[address{s.name, in.Name}]; old != nil && !s.expired(old) {
		out, err := createAgain(s.shown(old), in, val)
		return createSecretOut{versionOut: out}, err
	}
	now := s.now()
	sec := &secret{
		arn:  s.arnPrefix() + in.Name + "-" + randomText(alphanumeric, arnSuffix),
		name: in.Name, region: s.name, description: in.Description, kmsKeyID: in.KmsKeyID, kind: in.Type,
		created: s.options.Now().UTC(), changed: now, tags: in.Tags, labels: Labels{},
	}
	out := createSecretOut{versionOut: versionOut{identity: sec.identity()}}
	if val != nil {
		out.VersionID = in.ClientRequestToken
		if err := sec.add(&version{id: out.VersionID, created: now, value: val}, labelCurrent); err != nil {
			return createSecretOut{}, err
		}
	}
	if err := s.replicate(sec, in.AddReplicaRegions, in.ForceOverwriteReplicaSecret); err != nil {
		return createSecretOut{}, err
	}
	s.secrets[address{s.name, in.Name}] = sec
	out.ReplicationStatus = s.replicationOf(sec)
	return out, nil
}

// checkKey refuses a key that is not there, if it is known which there are. AWS documents that the key must exist, and no error
// for it: this one is our choice.
func (s region) checkKey(key string) error {
	if key == "" || key == ownKey || s.options.Keys == nil || s.options.Keys.Has(s.name, key) {
		return nil
	}
	return fail(codeNotFound, "Secrets Manager can't find the KMS key %s.", key)
}

// createAgain answers CreateSecret for a name that is taken: the same call again succeeds and changes nothing.
func createAgain(old *secret, in createSecretIn, val *value) (versionOut, error) {
	if !old.deletion.IsZero() {
		return versionOut{}, fail(codeInvalidRequest, textNameDeleted)
	}
	if v := old.version(in.ClientRequestToken); v != nil && val != nil {
		if !v.value.equal(val) {
			return versionOut{}, tokenInUse(old, v.id)
		}
		return versionOut{identity: old.identity(), VersionID: v.id}, nil
	}
	return versionOut{}, fail(codeExists, "The operation failed because the secret %s already exists.", in.Name)
}

// only tells whether text is made of the characters of alphabet alone.
func only(text, alphabet string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return !strings.ContainsRune(alphabet, r) })
}

// newValue makes the value that a request gives, nil if it gives none.
func newValue(text *string, binary []byte) (*value, error) {
	switch {
	case text == nil && binary == nil:
		return nil, nil
	case text != nil && binary != nil:
		return nil, fail(codeInvalidParameter, "You can't specify both a binary secret value and a string secret value in the same secret.")
	case text != nil && len(*text) > maxValue:
		return nil, fail(codeInvalidParameter, "The secret value must be at most %d bytes long.", maxValue)
	}
	return &value{text: text, binary: binary}, nil
}

type putSecretValueIn struct {
	SecretID           string `json:"SecretId"`
	ClientRequestToken string
	SecretBinary       []byte
	SecretString       *string
	VersionStages      []string
	RotationToken      *string
}

type putSecretValueOut struct {
	versionOut
	VersionStages []string `json:",omitempty"`
}

// putSecretValue adds a version, or fills the empty one that RotateSecret made. The same token with the same value
// changes nothing, not even labels; with another value it is refused.
func (s region) putSecretValue(in putSecretValueIn) (putSecretValueOut, error) {
	var none putSecretValueOut
	sec, err := s.changeable(in.SecretID)
	if err != nil {
		return none, err
	}
	if err := checkRotationToken(sec, in); err != nil {
		return none, err
	}
	val, err := newValue(in.SecretString, in.SecretBinary)
	if err != nil {
		return none, err
	}
	labels := in.VersionStages
	if labels == nil {
		labels = []string{labelCurrent}
	}
	if err := s.store(sec, in.ClientRequestToken, val, labels); err != nil {
		return none, err
	}
	out := putSecretValueOut{VersionStages: sec.stages(in.ClientRequestToken)}
	out.identity, out.VersionID = sec.identity(), in.ClientRequestToken
	return out, nil
}

func (in putSecretValueIn) check() error {
	if err := checkToken(in.ClientRequestToken, codeInvalidRequest); err != nil {
		return err
	}
	val, err := newValue(in.SecretString, in.SecretBinary)
	if err == nil && val == nil {
		err = fail(codeInvalidRequest, "You must provide either SecretString or SecretBinary.")
	}
	if err != nil {
		return err
	}
	return checkID(in.SecretID)
}

// checkRotationToken refuses a RotationToken that is not the one of the rotation that made the version. The API
// reference names no error for that; InvalidRequestException is our choice.
func checkRotationToken(sec *secret, in putSecretValueIn) error {
	if in.RotationToken == nil {
		return nil
	}
	v := sec.version(in.ClientRequestToken)
	if v == nil || v.rotationToken != *in.RotationToken {
		return fail(codeInvalidRequest, "The RotationToken is not the one of the rotation of this version.")
	}
	return nil
}

// store writes a value under a token, by the rules that PutSecretValue and UpdateSecret share.
func (s *SecretsManager) store(sec *secret, token string, val *value, labels []string) error {
	now := s.now()
	if old := sec.version(token); old != nil {
		if old.value.equal(val) {
			return nil
		}
		if old.value != nil {
			return tokenInUse(sec, token)
		}
		if err := sec.checkRoom(labels...); err != nil {
			return err
		}
		old.value = val
		sec.attach(token, labels...)
	} else if err := sec.add(&version{id: token, created: now, value: val}, labels...); err != nil {
		return err
	}
	sec.changed = now
	sec.prune(now)
	return nil
}

func tokenInUse(sec *secret, token string) error {
	return fail(codeExists, "You can't use ClientRequestToken %s because that value is already in use for a version of secret %s.",
		token, sec.arn)
}

type updateSecretIn struct {
	SecretID           string `json:"SecretId"`
	ClientRequestToken string
	Description        *string
	KmsKeyID           *string `json:"KmsKeyId"`
	SecretBinary       []byte
	SecretString       *string
	Type               *string
}

func (in updateSecretIn) check() error {
	val, err := newValue(in.SecretString, in.SecretBinary)
	if err == nil && val != nil {
		err = checkToken(in.ClientRequestToken, codeInvalidRequest)
	}
	if err != nil {
		return err
	}
	return checkID(in.SecretID)
}

func (s region) updateSecret(in updateSecretIn) (versionOut, error) {
	sec, err := s.changeable(in.SecretID)
	if err != nil {
		return versionOut{}, err
	}
	val, err := newValue(in.SecretString, in.SecretBinary)
	if err == nil && in.KmsKeyID != nil {
		err = s.checkKey(*in.KmsKeyID)
	}
	if err != nil {
		return versionOut{}, err
	}
	out := versionOut{identity: sec.identity()}
	if val != nil {
		out.VersionID = in.ClientRequestToken
		if err := s.store(sec, in.ClientRequestToken, val, []string{labelCurrent}); err != nil {
			return versionOut{}, err
		}
	}
	set(&sec.description, in.Description)
	set(&sec.kmsKeyID, in.KmsKeyID)
	set(&sec.kind, in.Type)
	sec.changed = s.now()
	return out, nil
}

func set(to *string, from *string) {
	if from != nil {
		*to = *from
	}
}
