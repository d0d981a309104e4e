package local

import "strings"

// arnSuffix is the number of random characters that follow the name and a hyphen in a secret's ARN.
const arnSuffix = 6

func (s *SecretsManager) arnPrefix() string {
	return "arn:aws:secretsmanager:" + s.options.Region + ":" + s.options.Account + ":secret:"
}

// find resolves a SecretId: a name, an ARN, or an ARN without its random suffix. An incomplete ARN whose name ends
// in a hyphen and six characters is taken for a complete one and so is not found, as by the service
// (API reference, GetSecretValue, SecretId).
func (s *SecretsManager) find(id string) (*secret, error) {
	if id == "" || len(id) > 2048 {
		return nil, fail(codeInvalidParameter, "SecretId must be 1-2048 characters long.")
	}
	name := id
	if rest, ok := strings.CutPrefix(id, s.arnPrefix()); ok {
		name = rest
		if looksComplete(rest) {
			name = rest[:len(rest)-arnSuffix-1]
		}
	}
	found := s.secrets[name]
	if found == nil || s.expired(found) || (name != id && looksComplete(id) && found.arn != id) {
		return nil, fail(codeNotFound, textNoSecret)
	}
	return found, nil
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
	if s.secrets[sec.name] == sec {
		delete(s.secrets, sec.name)
	}
	sec.stopRuns()
}

// usable is find for the operations that a secret pending deletion refuses.
func (s *SecretsManager) usable(id string) (*secret, error) {
	sec, err := s.find(id)
	if err == nil && !sec.deletion.IsZero() {
		return nil, fail(codeInvalidRequest, textDeleted)
	}
	return sec, err
}

// checkToken applies the rules for ClientRequestToken, which becomes the id of a version. The SDKs fill it in, so
// a missing one is seen only from hand-made requests; RotateSecret alone has another code for that.
func checkToken(token, codeIfMissing string) error {
	switch {
	case token == "":
		return fail(codeIfMissing, textNoToken)
	case len(token) < 32 || len(token) > 64:
		return fail(codeInvalidParameter, "ClientRequestToken must be 32-64 characters long.")
	}
	return nil
}
