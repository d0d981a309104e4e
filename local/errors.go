package local

import (
	"fmt"
	"net/http"
)

// The error codes of the Secrets Manager API, and of the AWS JSON 1.1 protocol below it.
const (
	codeAccessDenied     = "AccessDeniedException"
	codeInternal         = "InternalServiceError"
	codeInvalidNextToken = "InvalidNextTokenException"
	codeInvalidParameter = "InvalidParameterException"
	codeInvalidRequest   = "InvalidRequestException"
	codeLimitExceeded    = "LimitExceededException"
	codeNotFound         = "ResourceNotFoundException"
	codeExists           = "ResourceExistsException"
	codeSerialization    = "SerializationException"
	codeMalformedPolicy  = "MalformedPolicyDocumentException"
	codePublicPolicy     = "PublicPolicyException"
	codeTooLarge         = "RequestEntityTooLargeException"
	codeUnknownOperation = "UnknownOperationException"
	codeValidation       = "ValidationException"
)

// Messages that the service gives word for word.
const (
	textNoSecret    = "Secrets Manager can't find the specified secret."
	textNoToken     = "You must provide a ClientRequestToken value. We recommend a UUID-type value."
	textDeleted     = "You can't perform this operation on the secret because it was marked for deletion."
	textNameDeleted = "You can't create this secret because a secret with this name is already scheduled for deletion."
	textNoFunction  = "No Lambda rotation function ARN is associated with this secret."
	textCannotCall  = "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants " +
		"access to the principal secretsmanager.amazonaws.com."
	textNoExternal   = "External rotation members are only for secrets whose Type is that of a managed external secret."
	textPublic       = "The resource policy did not prevent broad access to the secret."
	textLocksOut     = "The resource policy would not allow anybody to change it again."
	textBadRegion    = "Invalid replica region."
	textReplica      = "Operation not permitted on a replica secret. Call must be made in primary secret's region."
	textNoKey        = "Access to KMS is not allowed"
	textIncomplete   = "A previous rotation isn't complete. That rotation will be reattempted."
	textStageVersion = "You provided a VersionStage that is not associated to the provided VersionId."
	textKeepCurrent  = "You can only move staging label AWSCURRENT to a different secret version. It can’t be completely removed."
	textBadName      = "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!"
	textTwoSchedules = "You cannot specify both rotation frequency and schedule expression together."
)

// serviceError is an error as the service answers it: a code, a message and an HTTP status.
type serviceError struct {
	code    string
	message string
	status  int
}

func (e *serviceError) Error() string { return e.code + ": " + e.message }

// fail makes the error with that code. All of the service's own errors are HTTP 400, but for its internal ones.
func fail(code, format string, args ...any) *serviceError {
	return &serviceError{code: code, message: fmt.Sprintf(format, args...), status: statusOf(code)}
}

func statusOf(code string) int {
	switch code {
	case codeInternal, "InternalFailure", "InternalServerError":
		return http.StatusInternalServerError
	case "ServiceUnavailable", "ServiceUnavailableException":
		return http.StatusServiceUnavailable
	case codeTooLarge:
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusBadRequest
}

func noVersion(id string) error {
	return fail(codeNotFound, "Secrets Manager can't find the specified secret value for VersionId: %s", id)
}

func noLabel(label string) error {
	return fail(codeNotFound, "Secrets Manager can't find the specified secret value for staging label: %s", label)
}
