package local_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/seed492efc12/rotor/local"
)

func TestWhatIsNotPermittedIsRefused(t *testing.T) {
	const key = "arn:aws:kms:us-east-1:123456789012:key/one"
	var denied, arn string // an action, and the secret
	s := serve(t, local.Options{Permits: func(caller, action, resource string) bool {
		of := arn
		if action == "kms:Decrypt" || action == "kms:GenerateDataKey" {
			of = key
		}
		if caller != "any" || resource != of && resource != "nowhere" {
			t.Errorf("%q asks for %s of %s", caller, action, resource)
		}
		return action != denied
	}})
	arn = s.create(t, "n", "v")
	must(s.UpdateSecret(t.Context(), &secretsmanager.UpdateSecretInput{SecretId: &arn, KmsKeyId: aws.String(key)}))(t)
	for _, c := range []struct{ denied, read, write string }{
		{"", "", ""},
		{"secretsmanager:GetSecretValue", "is not authorized to perform: secretsmanager:GetSecretValue on resource: " + arn, ""},
		{"secretsmanager:PutSecretValue", "", "secretsmanager:PutSecretValue on resource: " + arn},
		{"kms:GenerateDataKey", "", "Access to KMS is not allowed"},
		{"kms:Decrypt", "Access to KMS is not allowed", "Access to KMS is not allowed"},
	} {
		denied = c.denied
		_, err := s.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("n")})
		wantDenied(t, err, c.read)
		_, err = s.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: aws.String("n"), SecretString: aws.String("v")})
		wantDenied(t, err, c.write)
	}
	denied = "secretsmanager:DescribeSecret"
	_, err := s.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String("nowhere")})
	wantDenied(t, err, "on resource: nowhere")
}

func wantDenied(t *testing.T, err error, says string) {
	t.Helper()
	if says == "" && err == nil {
		return
	}
	wantCode(t, err, "AccessDeniedException", says)
}
