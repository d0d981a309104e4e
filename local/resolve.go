package local

import (
	"net/http"
	"regexp"
	"strings"
)

// arnSuffix is the number of random characters that follow the name and a hyphen in a secret's ARN.
const arnSuffix = 6

// region is the service as it is in one region. Each has secrets of its own; replicas are what they share.
type region struct {
	*SecretsManager
	name string
}

// in is the service in that region; without a name in the one of [Options].
func (s *SecretsManager) in(name string) region { return region{s, firstOf(name, s.options.Region)} }

// regionOf is the region in a secret's ARN, empty for a name.
func regionOf(id string) string {
	parts := strings.SplitN(id, ":", 5)
	if len(parts) < 5 || parts[0] != "arn" {
		return ""
	}
	return parts[3]
}

// signedFor is the region that a request is signed for, empty if it has no signature or one that is of no use.
// Source: IAM user guide, "Create a signed AWS API request": Credential=KEY/date/region/service/aws4_request.
func signedFor(r *http.Request) string {
	parts := strings.Split(credential(r), "/")
	if len(parts) != 5 || !regionForm.MatchString(parts[2]) {
		return ""
	}
	return parts[2]
}

// regionForm is the service model's pattern of a region.
var regionForm = regexp.MustCompile(`^([a-z]+-)+\d+$`)

// address is where a secret is: no region has two of a name.
type address struct{ region, name string }

func (s region) arnPrefix() string {
	return "arn:aws:secretsmanager:" + s.name + ":" + s.options.Account + ":secret:"
}

// find resolves a SecretId: a name, an ARN, or an ARN without its random suffix. An incomplete ARN whose name ends
// in a hyphen and six characters is taken for a complete one and so is not found, as by the service
// (API reference, GetSecretValue, SecretId). Of a replica it gives a copy of the primary as the replica shows it.
func (s region) find(id string) (*secret, error) {
	name := id
	if rest, ok := strings.CutPrefix(id, s.arnPrefix()); ok {
		name = rest
		if looksComplete(rest) {
			name = rest[:len(rest)-arnSuffix-1]
		}
	}
	found := s.secrets[address{s.name, name}]
	if found == nil || s.expired(found) || (name != id && looksComplete(id) && found.arn != id) {
		return nil, fail(codeNotFound, textNoSecret)
	}
	return s.shown(found), nil
}

// checkID refuses what can be the id of no secret. A name may be an ARN, with the colons of one.
func checkID(id string) error {
	if strings.HasPrefix(id, "arn:") {
		id = strings.ReplaceAll(id, ":", "")
	}
	return checkName(id)
}

func checkName(name string) error {
	if !only(name, alphanumeric+"-/_+=.@!") {
		return fail(codeValidation, textBadName)
	}
	return nil
}

// looksComplete tells whether an ARN ends like one with its random suffix.
func looksComplete(arn string) bool {
	hyphen := len(arn) - arnSuffix - 1
	if hyphen < 1 || arn[hyphen] != '-' {
		return false
	}
	return only(arn[hyphen+1:], alphanumeric)
}

// expired removes a secret whose recovery window has passed, and tells whether it did.
func (s *SecretsManager) expired(sec *secret) bool {
	if sec.deletion.IsZero() || s.now().Before(sec.deletion) {
		return false
	}
	s.drop(sec)
	return true
}

func (s *SecretsManager) drop(sec *secret) {
	if at := (address{sec.region, sec.name}); s.secrets[at] == sec {
		delete(s.secrets, at)
	}
	sec.stopRuns()
}

// usable is find for the operations that a secret pending deletion refuses.
func (s region) usable(id string) (*secret, error) {
	sec, err := s.find(id)
	if err == nil && !sec.deletion.IsZero() {
		return nil, fail(codeInvalidRequest, textDeleted)
	}
	return sec, err
}

// changeable is usable for the operations that a replica refuses: all that change it.
func (s region) changeable(id string) (*secret, error) {
	sec, err := s.usable(id)
	if err == nil && sec.replica != nil {
		return nil, fail(codeInvalidParameter, textReplica)
	}
	return sec, err
}

// checkToken applies the rules for ClientRequestToken, which becomes the id of a version. The SDKs fill it in, so
// a missing one is seen only from hand-made requests; RotateSecret alone has another code for that.
func checkToken(token, codeIfMissing string) error {
	if token == "" {
		return fail(codeIfMissing, textNoToken)
	}
	return nil
}
