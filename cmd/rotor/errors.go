package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/seed492efc12/rotor/internal/operate"
)

// errInterrupted is of a command that was ended by Ctrl-C.
var errInterrupted = errors.New("interrupted")

// missing is the action that a message of AWS names.
var missing = regexp.MustCompile(`not authorized to perform: ([a-z]+:[A-Za-z]+)`)

// prefixes are what actions of a service begin with.
var prefixes = map[string]string{"Secrets Manager": "secretsmanager", "Lambda": "lambda", "CloudWatch Logs": "logs", "STS": "sts"}

// actions are those that are not called as their operation is.
// Source: Service Authorization Reference, "Actions defined by AWS Lambda".
var actions = map[string]string{"Invoke": "InvokeFunction"}

// explained says in plain words what an error of a call of AWS means, and what to do
// about it. What was said around the error stays. Action is the permission that a
// refusal is about where AWS does not name it; if that is empty too, it is the one
// that is called as the operation is. An error of no call is returned as it is.
func explained(err error, action string) error {
	var call *smithy.OperationError
	var read *operate.ReadError
	switch {
	case errors.As(err, &read):
		return unread(err, read)
	case errors.Is(err, context.Canceled):
		return errInterrupted
	case !errors.As(err, &call):
		return err
	}
	says, remedy := meaning(call, action)
	says = strings.Replace(err.Error(), call.Error(), says, 1)
	if remedy == "" {
		return errors.New(says)
	}
	return remedied(says, remedy)
}

// unread is explained for what could not be read on the way to an answer.
func unread(err error, read *operate.ReadError) error {
	if !read.Denied {
		return err
	}
	action := read.Action
	if m := missing.FindStringSubmatch(err.Error()); m != nil {
		action = m[1]
	}
	return fmt.Errorf("%w%s", err, lacking(action))
}

// lacking ends what is said of a refusal.
func lacking(action string) string { return "\nYour credentials lack the permission " + action }

// remedied is an error with what to do about it.
func remedied(says, remedy string) error { return fmt.Errorf("%s\nWhat to do: %s", says, remedy) }

// meaning is what a failed call means, and what to do; that may be empty.
func meaning(call *smithy.OperationError, action string) (says, remedy string) {
	var api smithy.APIError
	var sent *smithyhttp.RequestSendError
	text := call.Err.Error()
	switch {
	case errors.As(call.Err, &api):
		return refusal(call, api, action)
	case strings.Contains(text, "no EC2 IMDS role found"):
		return "no credentials were found", "log in (aws sso login, or aws configure), or name a profile by --profile or AWS_PROFILE."
	case strings.Contains(text, "SSO"):
		return "the login by SSO has ended", "aws sso login, with the same --profile."
	case errors.As(call.Err, &sent):
		return unsent(sent.Err)
	case strings.Contains(text, "get credentials"):
		return "no credentials: " + innermost(call.Err), "mend the profile: aws sts get-caller-identity, with the same --profile, has to work."
	}
	return call.ServiceID + ": " + call.OperationName + ": " + text, ""
}

// refusal is what a service answered in place of a result.
func refusal(call *smithy.OperationError, api smithy.APIError, action string) (says, remedy string) {
	// The credentials may come from a call of their own, such as AssumeRole.
	for inner := call; errors.As(inner.Err, &inner); {
		call, action = inner, ""
	}
	says = fmt.Sprintf("%s: %s: %s", call.ServiceID, call.OperationName, cmp.Or(api.ErrorMessage(), "no reason is given"))
	says += " (" + api.ErrorCode() + ")"
	switch api.ErrorCode() {
	case "AccessDeniedException", "AccessDenied", "UnauthorizedException":
		if m := missing.FindStringSubmatch(api.ErrorMessage()); m != nil {
			action = m[1]
		} else if strings.Contains(api.ErrorMessage(), "KMS") {
			action = "kms:Decrypt"
		}
		action = cmp.Or(action, prefixes[call.ServiceID]+":"+cmp.Or(actions[call.OperationName], call.OperationName))
		if call.ServiceID == "SSO" {
			return "the login by SSO has ended", "aws sso login, with the same --profile."
		}
		return says + lacking(action), ""
	case "ExpiredTokenException", "ExpiredToken", "RequestExpired":
		return "the credentials have expired", "log in again (aws sso login), or renew AWS_SESSION_TOKEN and the keys beside it."
	case "UnrecognizedClientException", "InvalidClientTokenId":
		return "AWS does not know these credentials in this region", "check the access key, and that the account has the region switched on."
	case "InvalidSignatureException", "SignatureDoesNotMatch", "RequestTimeTooSkewed":
		return says, "check the secret access key, and this computer's clock."
	case "ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded":
		return says, "wait a minute and run it again: AWS takes no more calls for now."
	case "InternalServiceError", "InternalFailure", "ServiceException", "ServiceUnavailable":
		return says, "run it again: the fault is AWS's."
	case "ResourceNotFoundException":
		if call.ServiceID == "Lambda" {
			return says, "deploy the function, or have another one rotate the secret (rotor migrate)."
		}
	}
	return says, ""
}

// unsent is what kept a call from getting to AWS.
func unsent(err error) (says, remedy string) {
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	text := innermost(err)
	var to *url.Error
	host := "AWS"
	if errors.As(err, &to) {
		if u, err := url.Parse(to.URL); err == nil {
			host = u.Host
		}
	}
	switch {
	case strings.Contains(text, "proxyconnect"), strings.Contains(text, "Proxy Authentication"):
		return "the proxy does not let calls through: " + text, "check HTTPS_PROXY and NO_PROXY."
	case errors.As(err, &dns):
		return host + " has no address", "check the region's name, and that this computer is online; where only a proxy gets out, set HTTPS_PROXY."
	case errors.As(err, &certificate):
		return "the certificate of " + host + " is not trusted: " + certificate.Err.Error(), "if a proxy reads TLS here, let AWS_CA_BUNDLE name the file of its certificate authority."
	}
	return host + " cannot be reached: " + text, "check the network, AWS_ENDPOINT_URL if it is set, and HTTPS_PROXY."
}

// innermost is what went wrong, without the call's address and all that was said
// around it.
func innermost(err error) string {
	var to *url.Error
	if errors.As(err, &to) {
		return to.Err.Error()
	}
	for next := err; next != nil; next = errors.Unwrap(next) {
		err = next
	}
	return err.Error()
}

// unconfigured says what is wrong with somebody's configuration.
func unconfigured(err error) error {
	var profile config.SharedConfigProfileNotExistError
	var role config.SharedConfigAssumeRoleError
	switch {
	case errors.As(err, &role) && errors.As(err, &profile):
		return remedied(fmt.Sprintf("the role %s is taken from the profile %q, which is not there", role.RoleARN, profile.Profile), "correct source_profile in ~/.aws/config.")
	case errors.As(err, &profile):
		return remedied(fmt.Sprintf("there is no profile %q", profile.Profile), "aws configure list-profiles lists them.")
	}
	return fmt.Errorf("the AWS configuration cannot be used: %s", strings.Join(strings.Fields(err.Error()), " "))
}
