package rig_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/seed492efc12/rotor/local"
	"github.com/seed492efc12/rotor/local/rig"
)

func TestCommandsOfMessagesAreRun(t *testing.T) {
	r, f := open(t, local.Options{Retries: -1})
	arn, err := r.CreateSecret(t.Context(), "counter", `{"n":"many"}`)
	if err != nil {
		t.Fatal(err)
	}
	n, err := r.Rotate(t.Context(), arn, f)
	if err == nil {
		t.Fatal("that is no number")
	}
	rotate := "Rotate: aws secretsmanager rotate-secret --secret-id " + arn + "; and wait."
	if _, err := r.Command(t.Context(), rotate); rig.ErrorType(err) != "Rotation.BadSecret" {
		t.Errorf("the same rotation ends with %v", err)
	}
	if _, err := r.Command(t.Context(), "aws secretsmanager update-secret-version-stage --secret-id "+arn+" --version-stage AWSPENDING --remove-from-version-id "+n.Token); err != nil {
		t.Error(err)
	}
	if labels, err := r.Labels(t.Context(), arn); err != nil || labels["AWSPENDING"] != "" {
		t.Errorf("%v, %v", labels, err)
	}
	if _, err := r.Client.UpdateSecret(t.Context(), &secretsmanager.UpdateSecretInput{SecretId: &arn, KmsKeyId: aws.String("a-key"), SecretString: aws.String(`{"n":"1"}`)}); err != nil {
		t.Fatal(err)
	}
	if key, err := r.Command(t.Context(), "aws secretsmanager describe-secret --secret-id "+arn+" --query KmsKeyId --output text"); err != nil || key != "a-key" {
		t.Errorf("%q, %v", key, err)
	}
	if _, err := r.Command(t.Context(), rotate); err != nil {
		t.Error(err)
	}
	if value, err := r.Value(t.Context(), arn, "AWSCURRENT"); err != nil || value != `{"n":"2"}` {
		t.Errorf("%s, %v", value, err)
	}
	labels, err := r.Labels(t.Context(), arn)
	if err != nil {
		t.Fatal(err)
	}
	move := "aws secretsmanager update-secret-version-stage --secret-id " + arn + " --version-stage AWSCURRENT --region us-east-1 --move-to-version-id "
	for _, command := range []string{
		move + labels["AWSPREVIOUS"] + " --remove-from-version-id " + labels["AWSCURRENT"],
		strings.Replace(move, "AWSCURRENT", "AWSPENDING", 1) + labels["AWSPREVIOUS"],
	} {
		if _, err := r.Command(t.Context(), command); err != nil {
			t.Error(err)
		}
	}
	if now, err := r.Labels(t.Context(), arn); err != nil || now["AWSCURRENT"] != labels["AWSPREVIOUS"] || now["AWSPENDING"] != now["AWSCURRENT"] {
		t.Errorf("%v, %v", now, err)
	}
	for _, bad := range []string{"nothing", "aws secretsmanager delete-secret --secret-id " + arn, strings.Replace(rotate, "--secret-id", "", 1), "aws secretsmanager describe-secret --secret-id " + arn + " --query ARN --output text"} {
		if printed, err := r.Command(t.Context(), bad); err == nil {
			t.Errorf("%s prints %q", bad, printed)
		}
	}
}
