package local_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/seed492efc12/rotor/local"
)

// statements makes a policy.
func statements(all ...string) string {
	return `{"Version": "2012-10-17", "Statement": [` + strings.Join(all, ", ") + `]}`
}

// allow is a policy that lets somebody read the secret.
func allow(who string) string {
	return statements(fmt.Sprintf(`{"Effect": "Allow", "Principal": {"AWS": %q}, "Action": "secretsmanager:GetSecretValue", "Resource": "*"}`, who))
}

func quoted(text string) string { out, _ := json.Marshal(text); return string(out) }

const anybody = `{"Effect": "Allow", "Principal": "*", "Action": "secretsmanager:GetSecretValue", "Resource": "*"`

func TestResourcePoliciesAreCheckedAsTheServiceNamesItsChecks(t *testing.T) {
	s := serve(t, local.Options{})
	s.create(t, "n", "v")
	for name, test := range map[string]struct{ policy, code, text string }{
		"account":             {allow("123456789012"), "", ""},
		"role":                {allow("arn:aws:iam::123456789012:role/path/app"), "", ""},
		"service":             {statements(`{"Sid": "x", "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": ["secretsmanager:*"], "Resource": "*"}`), "", ""},
		"deny all but one":    {statements(`{"Effect": "Deny", "NotPrincipal": {"AWS": "123456789012"}, "Action": "*", "Resource": "*"}`), "", ""},
		"one statement":       {`{"Statement": ` + anybody + `, "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}}`, "", ""},
		"numbers and lists":   {`{"Statement": ` + anybody + `, "Condition": {"StringEquals": {"aws:SourceAccount": ["1", "2"]}, "Bool": {"aws:SecureTransport": true}}}}`, "", ""},
		"no JSON":             {"{", "MalformedPolicyDocumentException", "invalid Json"},
		"no object":           {`[]`, "MalformedPolicyDocumentException", "syntax"},
		"no statement":        {statements(), "MalformedPolicyDocumentException", "syntax"},
		"other version":       {`{"Version": "2019-10-19", "Statement": [` + anybody + `}]}`, "MalformedPolicyDocumentException", "syntax"},
		"other effect":        {strings.Replace(allow("123456789012"), "Allow", "allow", 1), "MalformedPolicyDocumentException", "syntax"},
		"other member":        {strings.Replace(allow("123456789012"), "Resource", "Resources", 1), "MalformedPolicyDocumentException", "syntax"},
		"no principal":        {statements(`{"Effect": "Allow", "Action": "secretsmanager:*", "Resource": "*"}`), "MalformedPolicyDocumentException", "syntax"},
		"no action":           {statements(`{"Effect": "Allow", "Principal": "*", "Resource": "*"}`), "MalformedPolicyDocumentException", "syntax"},
		"another's action":    {strings.Replace(allow("123456789012"), "secretsmanager:", "s3:", 1), "MalformedPolicyDocumentException", "syntax"},
		"no ARN":              {strings.Replace(allow("123456789012"), `"*"`, `"secret"`, 1), "MalformedPolicyDocumentException", "syntax"},
		"nobody":              {allow("somebody"), "MalformedPolicyDocumentException", "unsupported principal"},
		"everybody":           {allow("*"), "PublicPolicyException", "broad access"},
		"everybody, a time":   {`{"Statement": ` + anybody + `, "Condition": {"DateLessThan": {"aws:CurrentTime": "2030-01-01"}}}}`, "PublicPolicyException", ""},
		"everybody but one":   {`{"Statement": ` + anybody + `, "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}}}`, "PublicPolicyException", ""},
		"everybody, wildcard": {`{"Statement": ` + anybody + `, "Condition": {"StringLike": {"aws:PrincipalArn": "*"}}}}`, "PublicPolicyException", ""},
		"locked out":          {statements(`{"Effect": "Deny", "Principal": "*", "Action": "secretsmanager:put*", "Resource": "*"}`), "InvalidRequestException", "change it again"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.PutResourcePolicy(t.Context(), &secretsmanager.PutResourcePolicyInput{SecretId: aws.String("n"), ResourcePolicy: &test.policy,
				BlockPublicPolicy: aws.Bool(true)})
			checked, validateErr := s.ValidateResourcePolicy(t.Context(), &secretsmanager.ValidateResourcePolicyInput{ResourcePolicy: &test.policy})
			switch test.code {
			case "":
				if err != nil || validateErr != nil || !checked.PolicyValidationPassed {
					t.Errorf("got %v, %v", err, validateErr)
				}
				return
			case "MalformedPolicyDocumentException":
				wantCode(t, validateErr, test.code, test.text)
			default:
				if validateErr != nil || checked.PolicyValidationPassed || len(checked.ValidationErrors) != 1 {
					t.Errorf("validation says %+v, %v", checked, validateErr)
				}
			}
			wantCode(t, err, test.code, test.text)
		})
	}
}

func TestAResourcePolicyIsKeptAsItWasSentUntilItIsDeleted(t *testing.T) {
	s := serve(t, local.Options{})
	s.create(t, "n", "v")
	policy := func() string {
		return aws.ToString(must(s.GetResourcePolicy(t.Context(), &secretsmanager.GetResourcePolicyInput{SecretId: aws.String("n")}))(t).ResourcePolicy)
	}
	for _, text := range []string{allow("*"), " " + allow("123456789012") + "\n"} {
		must(s.PutResourcePolicy(t.Context(), &secretsmanager.PutResourcePolicyInput{SecretId: aws.String("n"), ResourcePolicy: &text}))(t)
		if policy() != text {
			t.Errorf("got %q", policy())
		}
	}
	refused := allow("nobody")
	_, err := s.PutResourcePolicy(t.Context(), &secretsmanager.PutResourcePolicyInput{SecretId: aws.String("n"), ResourcePolicy: &refused})
	wantCode(t, err, "MalformedPolicyDocumentException", "")
	if !strings.Contains(policy(), "123456789012") {
		t.Error("a refused policy replaced the one that was there")
	}
	must(s.DeleteResourcePolicy(t.Context(), &secretsmanager.DeleteResourcePolicyInput{SecretId: aws.String("n")}))(t)
	if policy() != "" {
		t.Error("the policy is still there")
	}
}
