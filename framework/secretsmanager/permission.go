package secretsmanager

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/smithy-go"
)

// permission is the remedy for a call that was denied: the statement that the
// role's policy lacks. It is the key's where the service says so, which does not
// say which key.
// Source: Secrets Manager user guide, "Rotation function permissions" and "Secret
// encryption and decryption"; "Access to KMS is not allowed" is what it has said to
// others.
func permission(operation, id string, api smithy.APIError) string {
	const then = " The policy of the secret, of the key, of the VPC's endpoint or of the organization must not forbid it; that of the first two has to allow it too where they are of another account. Then rotate again."
	if code := api.ErrorCode(); code == "DecryptionFailure" || code == "EncryptionFailure" || strings.Contains(api.ErrorMessage(), "KMS") {
		return fmt.Sprintf("Allow the function's role kms:Decrypt and kms:GenerateDataKey on the secret's key, and see that the key is enabled. This prints which key it is: aws secretsmanager describe-secret --secret-id %s --query KmsKeyId --output text;", id) + then
	}
	statement, _ := json.Marshal(struct{ Effect, Action, Resource string }{"Allow", "secretsmanager:" + operation, resource(id)}) // texts always marshal
	return fmt.Sprintf("Add this to the policy of the function's role: %s.", statement) + then
}

// resource is the ARN of a secret that may go by its name, to which the service adds
// six characters in the ARN.
func resource(id string) string {
	if strings.HasPrefix(id, "arn:") {
		return id
	}
	return "arn:*:secretsmanager:*:*:secret:" + id + "-??????"
}
