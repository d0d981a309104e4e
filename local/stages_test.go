package local_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/seed492efc12/rotor/local"
)

func TestUpdateSecretVersionStageMovesLabelsOnlyFromTheVersionNamed(t *testing.T) {
	const before = "one=AWSPREVIOUS two=AWSCURRENT three=AWSPENDING,x"
	for name, test := range map[string]struct {
		label, from, to  string
		want, code, text string
	}{
		"AWSPREVIOUS follows AWSCURRENT, AWSPENDING stays": {"AWSCURRENT", "two", "three", "two=AWSPREVIOUS three=AWSCURRENT,AWSPENDING,x", "", ""},
		"back to AWSPREVIOUS":                              {"AWSCURRENT", "two", "one", "one=AWSCURRENT two=AWSPREVIOUS three=AWSPENDING,x", "", ""},
		"a new label":                                      {"y", "", "one", "one=AWSPREVIOUS,y two=AWSCURRENT three=AWSPENDING,x", "", ""},
		"other labels leave AWSPREVIOUS alone":             {"x", "three", "two", "one=AWSPREVIOUS two=AWSCURRENT,x three=AWSPENDING", "", ""},
		"removing a label":                                 {"x", "three", "", "one=AWSPREVIOUS two=AWSCURRENT three=AWSPENDING", "", ""},
		"removing the last label hides a version":          {"AWSPREVIOUS", "one", "", "two=AWSCURRENT three=AWSPENDING,x", "", ""},
		"already there":                                    {"AWSCURRENT", "", "two", before, "", ""},
		"RemoveFromVersionId is required": {"AWSCURRENT", "", "three", before, "InvalidParameterException",
			"The parameter RemoveFromVersionId can't be empty. Staging label AWSCURRENT is currently attached to version " + token("two")},
		"RemoveFromVersionId must match": {"AWSCURRENT", "one", "three", before, "InvalidParameterException",
			"it must be set to the version that currently has the staging label AWSCURRENT"},
		"RemoveFromVersionId of a free label": {"y", "one", "three", before, "InvalidParameterException", "must be set"},
		"AWSCURRENT cannot be removed": {"AWSCURRENT", "two", "", before, "InvalidParameterException",
			"You can only move staging label AWSCURRENT to a different secret version."},
		"removing from the wrong version": {"x", "one", "", before, "InvalidParameterException", "isn't attached"},
		"neither version":                 {"x", "", "", before, "InvalidParameterException", "MoveToVersionId"},
		"no such version":                 {"x", "three", "nine", before, "ResourceNotFoundException", "VersionId: " + token("nine")},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, local.Options{})
			s.create(t, "n", "1")
			s.put(t, "n", "two", "2")
			s.put(t, "n", "three", "3", "AWSPENDING", "x")
			s.wantLabels(t, "n", before)
			in := secretsmanager.UpdateSecretVersionStageInput{SecretId: aws.String("n"), VersionStage: &test.label}
			if test.from != "" {
				in.RemoveFromVersionId = aws.String(token(test.from))
			}
			if test.to != "" {
				in.MoveToVersionId = aws.String(token(test.to))
			}
			_, err := s.UpdateSecretVersionStage(t.Context(), &in)
			if test.code != "" {
				wantCode(t, err, test.code, test.text)
			} else if err != nil {
				t.Error(err)
			}
			s.wantLabels(t, "n", test.want)
		})
	}
}

func TestSecretHasAtMostTwentyLabels(t *testing.T) {
	s := serve(t, local.Options{})
	s.create(t, "n", "1")
	for i := range 19 {
		must(s.UpdateSecretVersionStage(t.Context(), &secretsmanager.UpdateSecretVersionStageInput{
			SecretId: aws.String("n"), VersionStage: aws.String(fmt.Sprint(i)), MoveToVersionId: aws.String(token("one"))}))(t)
	}
	_, err := s.UpdateSecretVersionStage(t.Context(), &secretsmanager.UpdateSecretVersionStageInput{
		SecretId: aws.String("n"), VersionStage: aws.String("more"), MoveToVersionId: aws.String(token("one"))})
	wantCode(t, err, "LimitExceededException", "20")
	_, err = s.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{
		SecretId: aws.String("n"), SecretString: aws.String("v"), VersionStages: []string{"1", "more"}})
	wantCode(t, err, "LimitExceededException", "20")
	if n := len(s.describe(t, "n").VersionIdsToStages); n != 1 {
		t.Errorf("a refused PutSecretValue left %d versions", n)
	}
}

func TestListSecretVersionIdsHidesDeprecatedVersionsAndPages(t *testing.T) {
	s := serve(t, local.Options{})
	s.create(t, "n", "1")
	s.put(t, "n", "two", "2")
	s.put(t, "n", "three", "3")
	s.wantLabels(t, "n", "two=AWSPREVIOUS three=AWSCURRENT")
	in := secretsmanager.ListSecretVersionIdsInput{SecretId: aws.String("n"), IncludeDeprecated: aws.Bool(true), MaxResults: aws.Int32(2)}
	pages := secretsmanager.NewListSecretVersionIdsPaginator(s.Client, &in)
	var got []string
	for pages.HasMorePages() {
		for _, v := range must(pages.NextPage(t.Context()))(t).Versions {
			got = append(got, *v.VersionId)
			if v.KmsKeyIds[0] != "DefaultEncryptionKey" {
				t.Errorf("key is %v", v.KmsKeyIds)
			}
		}
	}
	if want := []string{token("one"), token("two"), token("three")}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v", got)
	}
	_, err := s.ListSecretVersionIds(t.Context(), &secretsmanager.ListSecretVersionIdsInput{SecretId: aws.String("n"), NextToken: aws.String("?")})
	wantCode(t, err, "InvalidNextTokenException", "")
}

func TestAboutAHundredDeprecatedVersionsAreKeptAndNoneUnderADayOldIsDeleted(t *testing.T) {
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	s := serve(t, local.Options{Now: func() time.Time { return now }})
	s.create(t, "n", "1")
	count := func() (n int) {
		pages := secretsmanager.NewListSecretVersionIdsPaginator(s.Client,
			&secretsmanager.ListSecretVersionIdsInput{SecretId: aws.String("n"), IncludeDeprecated: aws.Bool(true)})
		for pages.HasMorePages() {
			n += len(must(pages.NextPage(t.Context()))(t).Versions)
		}
		return n
	}
	for i := range 120 {
		s.put(t, "n", fmt.Sprint("v", i), "x")
	}
	if n := count(); n != 121 {
		t.Errorf("%d versions on the first day, want all 121", n)
	}
	now = now.Add(25 * time.Hour)
	s.put(t, "n", "last", "x")
	if n := count(); n != 102 {
		t.Errorf("%d versions a day later, want 100 deprecated ones and 2 with labels", n)
	}
}
