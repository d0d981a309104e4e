package local_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/seed492efc12/rotor/local"
)

func TestSecretIsFoundByNameARNAndPartialARN(t *testing.T) {
	s := serve(t, local.Options{Account: "111122223333"}).in("eu-west-1")
	arn := s.create(t, "prod/db+user=x.y@z!_", "v")
	if !regexp.MustCompile(`^arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db\+user=x\.y@z!_-[A-Za-z0-9]{6}$`).MatchString(arn) {
		t.Fatalf("ARN is %s", arn)
	}
	ambiguous := s.create(t, "name-abcdef", "w")
	partial := func(arn string) string { return arn[:len(arn)-7] }
	for _, test := range []struct {
		id, value string
	}{
		{"prod/db+user=x.y@z!_", "v"},
		{arn, "v"},
		{partial(arn), "v"},
		{"name-abcdef", "w"},
		{ambiguous, "w"},
		{partial(ambiguous), ""}, // It looks like a complete ARN, of a secret called "name".
		{arn[:len(arn)-6] + "000000", ""},
		{strings.Replace(arn, "eu-west-1", "eu-west-2", 1), ""},
		{"absent", ""},
	} {
		got, err := s.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &test.id})
		if test.value == "" {
			wantCode(t, err, "ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
		} else if err != nil || *got.SecretString != test.value || *got.ARN == "" {
			t.Errorf("%s: got %v, %v", test.id, got, err)
		}
	}
}

func TestTextAndBinaryValuesComeBackByteForByte(t *testing.T) {
	s := serve(t, local.Options{})
	s.create(t, "text", "<&>\u2028 \x00\u00e9\U0001F600\"\\")
	got := must(s.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("text")}))(t)
	if *got.SecretString != "<&>\u2028 \x00\u00e9\U0001F600\"\\" || got.SecretBinary != nil {
		t.Errorf("text came back as %q", *got.SecretString)
	}
	if age := time.Since(*got.CreatedDate); age < 0 || age > time.Minute {
		t.Errorf("created %v ago", age)
	}
	binary := make([]byte, 65536)
	for i := range binary {
		binary[i] = byte(i * 7)
	}
	must(s.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("binary"), SecretBinary: binary}))(t)
	got = must(s.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("binary")}))(t)
	if !bytes.Equal(got.SecretBinary, binary) || got.SecretString != nil {
		t.Error("bytes came back changed")
	}
}

func TestCreateSecretRefusesWhatTheServiceRefuses(t *testing.T) {
	s := serve(t, local.Options{})
	s.create(t, "taken", "v")
	tooManyTags := make([]types.Tag, 51)
	for i := range tooManyTags {
		tooManyTags[i] = types.Tag{Key: aws.String(fmt.Sprint(i)), Value: aws.String("")}
	}
	for name, test := range map[string]struct {
		in         secretsmanager.CreateSecretInput
		code, text string
	}{
		"bad name":      {secretsmanager.CreateSecretInput{Name: aws.String("a b")}, "ValidationException", "Invalid name."},
		"bad character": {secretsmanager.CreateSecretInput{Name: aws.String("naïve")}, "ValidationException", "Invalid name."},
		"long name":     {secretsmanager.CreateSecretInput{Name: aws.String(strings.Repeat("n", 513))}, "ValidationException", ""},
		"taken name": {secretsmanager.CreateSecretInput{Name: aws.String("taken"), SecretString: aws.String("v")},
			"ResourceExistsException", "The operation failed because the secret taken already exists."},
		"same token, other value": {secretsmanager.CreateSecretInput{Name: aws.String("taken"), SecretString: aws.String("w"),
			ClientRequestToken: aws.String(token("one"))}, "ResourceExistsException", "already in use"},
		"two values": {secretsmanager.CreateSecretInput{Name: aws.String("n"), SecretString: aws.String("v"), SecretBinary: []byte("v")},
			"InvalidParameterException", "both"},
		"long value in bytes": {secretsmanager.CreateSecretInput{Name: aws.String("n"), SecretString: aws.String(strings.Repeat("ä", 32769))},
			"InvalidParameterException", "65536 bytes"},
		"many tags": {secretsmanager.CreateSecretInput{Name: aws.String("n"), Tags: tooManyTags}, "InvalidParameterException", "50"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.CreateSecret(t.Context(), &test.in)
			wantCode(t, err, test.code, test.text)
		})
	}
	again := must(s.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("taken"),
		SecretString: aws.String("v"), ClientRequestToken: aws.String(token("one"))}))(t)
	if *again.VersionId != token("one") {
		t.Errorf("the same call again gave version %s", *again.VersionId)
	}
}

func TestSecretWithoutValueHasNoVersionUntilTheFirstPutMakesItCurrent(t *testing.T) {
	s := serve(t, local.Options{})
	made := must(s.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("n")}))(t)
	if made.VersionId != nil || s.describe(t, "n").VersionIdsToStages != nil {
		t.Error("an empty secret has a version")
	}
	_, err := s.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("n")})
	wantCode(t, err, "ResourceNotFoundException", "for staging label: AWSCURRENT")
	s.put(t, "n", "one", "v", "custom")
	s.wantLabels(t, "n", "one=AWSCURRENT,custom")
}

func TestPutSecretValueMovesLabelsAndAWSPREVIOUSFollows(t *testing.T) {
	s := serve(t, local.Options{})
	s.create(t, "n", "1")
	for _, step := range []struct {
		version string
		labels  []string
		want    string
	}{
		{"two", nil, "one=AWSPREVIOUS two=AWSCURRENT"},
		{"three", []string{"AWSPENDING"}, "one=AWSPREVIOUS two=AWSCURRENT three=AWSPENDING"},
		{"four", []string{"x", "AWSPENDING"}, "one=AWSPREVIOUS two=AWSCURRENT four=AWSPENDING,x"},
		{"five", []string{"AWSCURRENT", "x"}, "two=AWSPREVIOUS four=AWSPENDING five=AWSCURRENT,x"},
	} {
		s.put(t, "n", step.version, step.version, step.labels...)
		s.wantLabels(t, "n", step.want)
	}
}

func TestPutSecretValueAgainWithTheSameTokenChangesNothingAndNeverOverwrites(t *testing.T) {
	s := serve(t, local.Options{})
	s.create(t, "n", "1")
	s.put(t, "n", "two", "2", "AWSPENDING")
	s.put(t, "n", "two", "2", "AWSCURRENT")
	s.wantLabels(t, "n", "one=AWSCURRENT two=AWSPENDING")
	in := secretsmanager.PutSecretValueInput{SecretId: aws.String("n"), ClientRequestToken: aws.String(token("two"))}
	in.SecretString = aws.String("other")
	_, err := s.PutSecretValue(t.Context(), &in)
	wantCode(t, err, "ResourceExistsException", "You can't use ClientRequestToken "+token("two"))
	in.SecretString, in.SecretBinary = nil, []byte("2")
	_, err = s.PutSecretValue(t.Context(), &in)
	wantCode(t, err, "ResourceExistsException", "")
}

func TestPutSecretValueRefusesWhatTheServiceRefuses(t *testing.T) {
	s := serve(t, local.Options{})
	s.create(t, "n", "1")
	for name, test := range map[string]struct {
		in         secretsmanager.PutSecretValueInput
		code, text string
	}{
		"no value": {secretsmanager.PutSecretValueInput{}, "InvalidRequestException", "SecretString or SecretBinary"},
		"other rotation": {secretsmanager.PutSecretValueInput{SecretString: aws.String("v"), RotationToken: aws.String(strings.Repeat("r", 36))},
			"InvalidRequestException", "RotationToken"},
	} {
		t.Run(name, func(t *testing.T) {
			test.in.SecretId = aws.String("n")
			_, err := s.PutSecretValue(t.Context(), &test.in)
			wantCode(t, err, test.code, test.text)
		})
	}
	s.wantLabels(t, "n", "one=AWSCURRENT")
}

func TestMissingTokenIsRefusedAsByTheService(t *testing.T) {
	s := serve(t, local.Options{})
	s.create(t, "n", "1")
	for operation, code := range map[string]string{
		"CreateSecret":   "InvalidRequestException",
		"PutSecretValue": "InvalidRequestException",
		"UpdateSecret":   "InvalidRequestException",
		"RotateSecret":   "InvalidParameterException",
	} {
		got := post(t, s.url, operation, `{"Name": "m", "SecretId": "n", "SecretString": "v"}`)
		if got.status != 400 || got.body["__type"] != code ||
			got.body["Message"] != "You must provide a ClientRequestToken value. We recommend a UUID-type value." {
			t.Errorf("%s: %d %s", operation, got.status, got.text)
		}
	}
}

func TestGetSecretValueFindsVersionsByIdAndLabelTogether(t *testing.T) {
	s := serve(t, local.Options{})
	s.create(t, "n", "1")
	s.put(t, "n", "two", "2")
	s.put(t, "n", "three", "3") // one has no label now
	id, label := aws.String, aws.String
	for name, test := range map[string]struct {
		version, stage *string
		want           string
		code, text     string
	}{
		"current by default": {nil, nil, "3", "", ""},
		"label":              {nil, label("AWSPREVIOUS"), "2", "", ""},
		"version":            {id(token("two")), nil, "2", "", ""},
		"deprecated version": {id(token("one")), nil, "1", "", ""},
		"both":               {id(token("three")), label("AWSCURRENT"), "3", "", ""},
		"not together": {id(token("two")), label("AWSCURRENT"), "", "InvalidRequestException",
			"You provided a VersionStage that is not associated to the provided VersionId."},
		"no such label": {nil, label("AWSPENDING"), "", "ResourceNotFoundException",
			"Secrets Manager can't find the specified secret value for staging label: AWSPENDING"},
		"no such version": {id(token("four")), nil, "", "ResourceNotFoundException",
			"Secrets Manager can't find the specified secret value for VersionId: " + token("four")},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := s.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{
				SecretId: aws.String("n"), VersionId: test.version, VersionStage: test.stage})
			if test.code != "" {
				wantCode(t, err, test.code, test.text)
			} else if err != nil || *got.SecretString != test.want {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

func TestUpdateSecretChangesMetadataAndMakesAVersionOnlyForAValue(t *testing.T) {
	s := serve(t, local.Options{})
	s.create(t, "n", "1")
	out := must(s.UpdateSecret(t.Context(), &secretsmanager.UpdateSecretInput{SecretId: aws.String("n"),
		Description: aws.String("d"), KmsKeyId: aws.String("alias/k")}))(t)
	if out.VersionId != nil {
		t.Error("a description made a version")
	}
	in := secretsmanager.UpdateSecretInput{SecretId: aws.String("n"), SecretString: aws.String("2"), ClientRequestToken: aws.String(token("two"))}
	for range 2 {
		out = must(s.UpdateSecret(t.Context(), &in))(t)
	}
	if *out.VersionId != token("two") {
		t.Errorf("version is %s", *out.VersionId)
	}
	s.wantLabels(t, "n", "one=AWSPREVIOUS two=AWSCURRENT")
	if d := s.describe(t, "n"); *d.Description != "d" || *d.KmsKeyId != "alias/k" {
		t.Errorf("described as %+v", d)
	}
	in.SecretString = aws.String("other")
	_, err := s.UpdateSecret(t.Context(), &in)
	wantCode(t, err, "ResourceExistsException", "already in use")
}

func TestBatchGetSecretValueReportsFailuresBesideValues(t *testing.T) {
	s := serve(t, local.Options{})
	for _, name := range []string{"a1", "a2", "b"} {
		s.create(t, name, name)
	}
	s.delete(t, "b")
	out := must(s.BatchGetSecretValue(t.Context(), &secretsmanager.BatchGetSecretValueInput{SecretIdList: []string{"a1", "none", "b"}}))(t)
	if len(out.SecretValues) != 1 || *out.SecretValues[0].SecretString != "a1" || len(out.Errors) != 2 ||
		*out.Errors[0].ErrorCode != "ResourceNotFoundException" || *out.Errors[1].ErrorCode != "InvalidRequestException" {
		t.Errorf("got %+v", out)
	}
	filters := []types.Filter{{Key: "name", Values: []string{"a"}}}
	out = must(s.BatchGetSecretValue(t.Context(), &secretsmanager.BatchGetSecretValueInput{Filters: filters, MaxResults: aws.Int32(1)}))(t)
	if len(out.SecretValues) != 1 || out.NextToken == nil {
		t.Errorf("first page %+v", out)
	}
	out = must(s.BatchGetSecretValue(t.Context(), &secretsmanager.BatchGetSecretValueInput{Filters: filters, NextToken: out.NextToken}))(t)
	if len(out.SecretValues) != 1 || *out.SecretValues[0].Name != "a2" || out.NextToken != nil {
		t.Errorf("last page %+v", out)
	}
	for name, in := range map[string]secretsmanager.BatchGetSecretValueInput{
		"nothing asked":   {},
		"list and filter": {SecretIdList: []string{"a1"}, Filters: filters},
		"list and page":   {SecretIdList: []string{"a1"}, MaxResults: aws.Int32(1)},
	} {
		_, err := s.BatchGetSecretValue(t.Context(), &in)
		t.Log(name)
		wantCode(t, err, "InvalidParameterException", "")
	}
}

func (s service) delete(t *testing.T, id string) {
	t.Helper()
	must(s.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: &id, RecoveryWindowInDays: aws.Int64(7)}))(t)
}
