package secretsmanager

import (
	"context"
	"errors"
	"fmt"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// An answer is what an error code of Secrets Manager means to a rotation.
type answer struct {
	class     rotation.Class
	transient bool
	remedy    string
}

// answers has the codes that AWS documents for Secrets Manager's operations and
// as common errors.
var answers = map[string]answer{
	"AccessDeniedException":         {class: rotation.AccessDenied},
	"AccessDenied":                  {class: rotation.AccessDenied},
	"NotAuthorized":                 {class: rotation.AccessDenied},
	"UnrecognizedClientException":   {class: rotation.AccessDenied, remedy: remedyCredentials},
	"InvalidClientTokenId":          {class: rotation.AccessDenied, remedy: remedyCredentials},
	"ExpiredTokenException":         {class: rotation.AccessDenied, remedy: remedyCredentials},
	"InvalidSignatureException":     {class: rotation.AccessDenied, remedy: remedyCredentials},
	"DecryptionFailure":             {class: rotation.AccessDenied},
	"EncryptionFailure":             {class: rotation.AccessDenied},
	"ResourceNotFoundException":     {class: rotation.BadSecret},
	"InvalidRequestException":       {class: rotation.BadSecret, remedy: "The secret's state does not allow what the message says: look whether it is being deleted (aws secretsmanager describe-secret), or replicated from another region."},
	"InvalidParameterException":     {class: rotation.BadSecret, remedy: "The secret's state does not allow what the message says: look whether it is being deleted (aws secretsmanager describe-secret), or replicated from another region."},
	"LimitExceededException":        {class: rotation.BadSecret, remedy: "Remove labels from versions that are no longer needed."},
	"ThrottlingException":           {class: rotation.Throttled, transient: true},
	"Throttling":                    {class: rotation.Throttled, transient: true},
	"ThrottledException":            {class: rotation.Throttled, transient: true},
	"RequestThrottledException":     {class: rotation.Throttled, transient: true},
	"TooManyRequestsException":      {class: rotation.Throttled, transient: true},
	"RequestLimitExceeded":          {class: rotation.Throttled, transient: true},
	"InternalServiceError":          {class: rotation.StoreUnavailable, transient: true, remedy: remedyFailing},
	"InternalServiceErrorException": {class: rotation.StoreUnavailable, transient: true, remedy: remedyFailing},
	"InternalFailure":               {class: rotation.StoreUnavailable, transient: true, remedy: remedyFailing},
	"ServiceUnavailable":            {class: rotation.StoreUnavailable, transient: true, remedy: remedyFailing},
}

const (
	remedyCredentials = "Secrets Manager does not take the function's credentials. Take out of its environment variables what sets others (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN), " +
		"so that it has those of its role, and let SECRETS_MANAGER_ENDPOINT be of the secret's region. Then rotate again."
	remedyFailing = "Secrets Manager itself has failed. Nothing is lost, and it tries again by itself; if it goes on, look at the AWS Health Dashboard."
)

// fault gives an error of the SDK about a secret its class. A nil error stays nil.
func fault(err error, id string) error {
	if err == nil {
		return nil
	}
	operation := "a request"
	var op *smithy.OperationError
	if errors.As(err, &op) {
		operation = op.Operation()
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		return transport(operation, err)
	}
	a, known := answers[api.ErrorCode()]
	if !known {
		a = answer{class: rotation.Unknown}
	}
	if a.class == rotation.AccessDenied && a.remedy == "" {
		a.remedy = permission(operation, id, api)
	}
	f := &rotation.Fault{Class: a.class, Remedy: a.remedy, Transient: a.transient,
		Err: fmt.Errorf("calling %s of Secrets Manager: %s: %s%s", operation, api.ErrorCode(), api.ErrorMessage(), requestID(err))}
	if api.ErrorCode() == "ResourceNotFoundException" {
		f.Err = fmt.Errorf("%w: %w", rotation.ErrNotFound, f.Err)
	}
	return f
}

// transport covers requests that got no answer of Secrets Manager.
func transport(operation string, err error) error {
	f := &rotation.Fault{Class: rotation.StoreUnavailable, Err: fmt.Errorf("calling %s of Secrets Manager: %w", operation, err)}
	var response *awshttp.ResponseError
	refused := errors.As(err, &response) && response.HTTPStatusCode() >= 400 && response.HTTPStatusCode() < 500
	f.Transient = !refused && !errors.Is(err, context.Canceled)
	return f
}

func requestID(err error) string {
	var response *awshttp.ResponseError
	if !errors.As(err, &response) || response.ServiceRequestID() == "" {
		return ""
	}
	return fmt.Sprintf(" (request %s)", response.ServiceRequestID())
}
