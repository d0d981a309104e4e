package local

import (
	"net/http"
	"strings"
)

// keyActions are what the caller of an operation needs of the secret's key, if that is not AWS's own.
// Source: user guide, "Secret encryption and decryption in AWS Secrets Manager", "Permissions for the KMS key".
var keyActions = map[string][]string{
	"GetSecretValue": {"kms:Decrypt"},
	"PutSecretValue": {"kms:GenerateDataKey", "kms:Decrypt"},
}

// ownKey is AWS's own key for Secrets Manager, which every user of the account's secrets may use.
const ownKey = "alias/aws/secretsmanager"

// checkPermitted refuses what Options.Permits does not permit, in the service's words.
func (s region) checkPermitted(r *http.Request, operation string, body []byte) error {
	if s.options.Permits == nil {
		return nil
	}
	var about secretIn
	if err := decode(body, &about); err != nil || about.SecretID == "" {
		return err // CreateSecret and the like: not what functions call
	}
	who, action := caller(r), "secretsmanager:"+operation
	resource, key := s.resources(about.SecretID)
	if !s.options.Permits(who, action, resource) {
		return fail(codeAccessDenied, "User: arn:aws:sts::%s:assumed-role/%s/session is not authorized to perform: %s on resource: %s because no identity-based policy allows the %s action",
			s.options.Account, who, action, resource, action)
	}
	for _, action := range keyActions[operation] {
		if key != "" && !s.options.Permits(who, action, key) {
			return fail(codeAccessDenied, textNoKey)
		}
	}
	return nil
}

// resources are the ARN of a secret, and its key unless that is AWS's own.
func (s region) resources(id string) (arn, key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sec, err := s.find(id)
	switch {
	case err != nil:
		return id, ""
	case sec.kmsKeyID == ownKey:
		return sec.arn, ""
	}
	return sec.arn, sec.kmsKeyID
}

// caller is the access key that a request is signed with.
// Source: IAM user guide, "Create a signed AWS API request": Authorization: AWS4-HMAC-SHA256 Credential=KEY/date/region/...
func caller(r *http.Request) string {
	key, _, _ := strings.Cut(credential(r), "/")
	return key
}

// credential is the scope that a request is signed for.
func credential(r *http.Request) string {
	_, scope, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	scope, _, _ = strings.Cut(scope, ",")
	return strings.TrimSpace(scope)
}
