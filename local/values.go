package local

import (
	"slices"
	"strings"
)

// maxValue is the most bytes that a secret value may have.
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
}

type versionOut struct {
	identity
	VersionID string `json:"VersionId,omitempty"`
}

func (s *SecretsManager) createSecret(in createSecretIn) (versionOut, error) {
	val, err := newValue(in.SecretString, in.SecretBinary)
	if err == nil {
		err = checkCreate(in, val)
	}
	if err != nil {
		return versionOut{}, err
	}
	if old := s.secrets[in.Name]; old != nil && !s.expired(old) {
		return createAgain(old, in, val)
	}
	now := s.now()
	sec := &secret{
		arn:  s.arnPrefix() + in.Name + "-" + randomText(alphanumeric, arnSuffix),
		name: in.Name, description: in.Description, kmsKeyID: in.KmsKeyID, kind: in.Type,
		created: now, changed: now, tags: in.Tags, labels: Labels{},
	}
	out := versionOut{identity: sec.identity()}
	if val != nil {
		out.VersionID = in.ClientRequestToken
		if err := sec.add(&version{id: out.VersionID, created: now, value: val}, labelCurrent); err != nil {
			return versionOut{}, err
		}
	}
	s.secrets[in.Name] = sec
	return out, nil
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

func checkCreate(in createSecretIn, val *value) error {
	if in.Name == "" || len(in.Name) > 512 || !only(in.Name, alphanumeric+"-/_+=.@!") {
		return fail(codeValidation, textBadName)
	}
	if err := checkTags(in.Tags); err != nil {
		return err
	}
	if err := checkDescription(in.Description); err != nil {
		return err
	}
	if val == nil && in.ClientRequestToken == "" {
		return nil
	}
	return checkToken(in.ClientRequestToken, codeInvalidRequest)
}

// only tells whether text is made of the characters of alphabet alone.
func only(text, alphabet string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return !strings.ContainsRune(alphabet, r) })
}

func checkDescription(text string) error {
	if len(text) > 2048 {
		return fail(codeInvalidParameter, "Description must be at most 2048 characters long.")
	}
	return nil
}

// newValue makes the value that a request gives, nil if it gives none.
func newValue(text *string, binary []byte) (*value, error) {
	size := len(binary)
	switch {
	case text == nil && binary == nil:
		return nil, nil
	case text != nil && binary != nil:
		return nil, fail(codeInvalidParameter, "You can't specify both a binary secret value and a string secret value in the same secret.")
	case text != nil:
		size = len(*text)
	}
	if size < 1 || size > maxValue {
		return nil, fail(codeInvalidParameter, "The secret value must be 1-%d bytes long.", maxValue)
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
func (s *SecretsManager) putSecretValue(in putSecretValueIn) (putSecretValueOut, error) {
	var none putSecretValueOut
	sec, err := s.usable(in.SecretID)
	if err != nil {
		return none, err
	}
	val, err := checkPut(sec, in)
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

func checkPut(sec *secret, in putSecretValueIn) (*value, error) {
	if err := checkToken(in.ClientRequestToken, codeInvalidRequest); err != nil {
		return nil, err
	}
	val, err := newValue(in.SecretString, in.SecretBinary)
	if err != nil {
		return nil, err
	}
	if val == nil {
		return nil, fail(codeInvalidRequest, "You must provide either SecretString or SecretBinary.")
	}
	if err := checkStages(in.VersionStages); err != nil {
		return nil, err
	}
	return val, checkRotationToken(sec, in)
}

// checkRotationToken refuses a RotationToken that is not the one of the rotation that made the version. The API
// reference names no error for that; InvalidRequestException is our choice.
func checkRotationToken(sec *secret, in putSecretValueIn) error {
	if in.RotationToken == nil {
		return nil
	}
	token := *in.RotationToken
	if len(token) < 36 || len(token) > 256 || !only(token, alphanumeric+"-") {
		return fail(codeInvalidParameter, "RotationToken must be 36-256 letters, digits and hyphens.")
	}
	v := sec.version(in.ClientRequestToken)
	if v == nil || v.rotationToken != token {
		return fail(codeInvalidRequest, "The RotationToken is not the one of the rotation of this version.")
	}
	return nil
}

func checkStages(stages []string) error {
	if stages != nil && (len(stages) < 1 || len(stages) > 20) {
		return fail(codeInvalidParameter, "VersionStages must have 1-20 staging labels.")
	}
	if slices.ContainsFunc(stages, func(label string) bool { return label == "" || len(label) > 256 }) {
		return fail(codeInvalidParameter, "A staging label must be 1-256 characters long.")
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

func (s *SecretsManager) updateSecret(in updateSecretIn) (versionOut, error) {
	sec, err := s.usable(in.SecretID)
	if err != nil {
		return versionOut{}, err
	}
	val, err := newValue(in.SecretString, in.SecretBinary)
	if err != nil {
		return versionOut{}, err
	}
	if in.Description != nil {
		if err := checkDescription(*in.Description); err != nil {
			return versionOut{}, err
		}
	}
	out := versionOut{identity: sec.identity()}
	if val != nil {
		out.VersionID = in.ClientRequestToken
		if err := checkToken(in.ClientRequestToken, codeInvalidRequest); err != nil {
			return versionOut{}, err
		}
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
