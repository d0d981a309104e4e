package local_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/seed492efc12/rotor/local"
)

// catalogue makes four secrets, each a minute younger than the one before.
func catalogue(t *testing.T) service {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	s := serve(t, local.Options{Now: func() time.Time { return now }})
	for _, made := range []secretsmanager.CreateSecretInput{
		{Name: aws.String("prod/db"), Description: aws.String("The Main database"), Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("blue")}}},
		{Name: aws.String("prod/api"), Description: aws.String("key"), Tags: []types.Tag{{Key: aws.String("tier"), Value: aws.String("Blue")}}},
		{Name: aws.String("test/db")},
		{Name: aws.String("gone")},
	} {
		must(s.CreateSecret(t.Context(), &made))(t)
		now = now.Add(time.Minute)
	}
	s.delete(t, "gone")
	return s
}

func names(list []types.SecretListEntry) string {
	var all []string
	for _, entry := range list {
		all = append(all, *entry.Name)
	}
	return strings.Join(all, " ")
}

func TestListSecretsFiltersSortsAndHidesSecretsPendingDeletion(t *testing.T) {
	s := catalogue(t)
	filter := func(key types.FilterNameStringType, values ...string) []types.Filter {
		return []types.Filter{{Key: key, Values: values}}
	}
	for name, test := range map[string]struct {
		in   secretsmanager.ListSecretsInput
		want string
	}{
		"oldest first":       {secretsmanager.ListSecretsInput{}, "prod/db prod/api test/db"},
		"newest first":       {secretsmanager.ListSecretsInput{SortOrder: "desc"}, "test/db prod/api prod/db"},
		"by name":            {secretsmanager.ListSecretsInput{SortBy: "name", SortOrder: "asc"}, "prod/api prod/db test/db"},
		"planned deletion":   {secretsmanager.ListSecretsInput{IncludePlannedDeletion: aws.Bool(true)}, "prod/db prod/api test/db gone"},
		"name prefix":        {secretsmanager.ListSecretsInput{Filters: filter("name", "prod/")}, "prod/db prod/api"},
		"name case":          {secretsmanager.ListSecretsInput{Filters: filter("name", "Prod/")}, ""},
		"any value":          {secretsmanager.ListSecretsInput{Filters: filter("name", "test", "prod/d")}, "prod/db test/db"},
		"negated":            {secretsmanager.ListSecretsInput{Filters: filter("name", "!prod/d")}, "prod/api test/db"},
		"word in the middle": {secretsmanager.ListSecretsInput{Filters: filter("description", "data MAIN")}, "prod/db"},
		"no part of a word":  {secretsmanager.ListSecretsInput{Filters: filter("description", "base")}, ""},
		"description":        {secretsmanager.ListSecretsInput{Filters: filter("description", "the main")}, "prod/db"},
		"tag key":            {secretsmanager.ListSecretsInput{Filters: filter("tag-key", "te")}, "prod/db"},
		"tag value":          {secretsmanager.ListSecretsInput{Filters: filter("tag-value", "B")}, "prod/api"},
		"region":             {secretsmanager.ListSecretsInput{Filters: filter("primary-region", "us")}, "prod/db prod/api test/db"},
		"owner":              {secretsmanager.ListSecretsInput{Filters: filter("owning-service", "rds")}, ""},
		"all, every word":    {secretsmanager.ListSecretsInput{Filters: filter("all", "BLUE database")}, "prod/db"},
		"filters are ANDed":  {secretsmanager.ListSecretsInput{Filters: append(filter("name", "prod"), filter("tag-key", "tier")...)}, "prod/api"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := names(must(s.ListSecrets(t.Context(), &test.in))(t).SecretList); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	for _, bad := range []types.Filter{{Values: []string{"x"}}, {Key: "name"}} {
		_, err := s.ListSecrets(t.Context(), &secretsmanager.ListSecretsInput{Filters: []types.Filter{bad}})
		wantCode(t, err, "InvalidParameterException", "Invalid filter")
	}
}

func TestListSecretsPagesThroughEverySecretOnce(t *testing.T) {
	s := catalogue(t)
	pages := secretsmanager.NewListSecretsPaginator(s.Client, &secretsmanager.ListSecretsInput{MaxResults: aws.Int32(2)})
	var got []string
	for pages.HasMorePages() {
		got = append(got, names(must(pages.NextPage(t.Context()))(t).SecretList))
	}
	if strings.Join(got, " | ") != "prod/db prod/api | test/db" {
		t.Errorf("got %q", got)
	}
	_, err := s.ListSecrets(t.Context(), &secretsmanager.ListSecretsInput{NextToken: aws.String("ZnJvbSAtMQ")})
	wantCode(t, err, "InvalidNextTokenException", "")
}

func TestTagsAreAddedOverwrittenAndRemoved(t *testing.T) {
	s := serve(t, local.Options{})
	s.create(t, "n", "v")
	tags := func() string {
		var all []string
		for _, tag := range s.describe(t, "n").Tags {
			all = append(all, *tag.Key+"="+*tag.Value)
		}
		return strings.Join(all, " ")
	}
	tag := func(key, value string) types.Tag { return types.Tag{Key: &key, Value: &value} }
	must(s.TagResource(t.Context(), &secretsmanager.TagResourceInput{SecretId: aws.String("n"),
		Tags: []types.Tag{tag("a", "1"), tag("aws:rds:primaryDBInstanceArn", "x")}}))(t)
	must(s.TagResource(t.Context(), &secretsmanager.TagResourceInput{SecretId: aws.String("n"), Tags: []types.Tag{tag("b", "2"), tag("a", "3")}}))(t)
	if got := tags(); got != "a=3 aws:rds:primaryDBInstanceArn=x b=2" {
		t.Errorf("tags are %q", got)
	}
	must(s.UntagResource(t.Context(), &secretsmanager.UntagResourceInput{SecretId: aws.String("n"), TagKeys: []string{"a", "zzz"}}))(t)
	if got := tags(); got != "aws:rds:primaryDBInstanceArn=x b=2" {
		t.Errorf("tags are %q", got)
	}
	_, err := s.TagResource(t.Context(), &secretsmanager.TagResourceInput{SecretId: aws.String("n"), Tags: []types.Tag{tag("", "1")}})
	wantCode(t, err, "ValidationException", "tags.1.member.key")
}

func TestSecretPendingDeletionRefusesReadsAndWritesUntilRestored(t *testing.T) {
	s := serve(t, local.Options{})
	s.create(t, "n", "v")
	s.delete(t, "n")
	id := `"SecretId": "n", "ClientRequestToken": "` + token("two") + `", "SecretString": "v", "VersionStage": "x", "Tags": [], "TagKeys": [], "MoveToVersionId": "` + token("one") + `"`
	for _, operation := range []string{"GetSecretValue", "PutSecretValue", "UpdateSecret", "UpdateSecretVersionStage", "RotateSecret",
		"CancelRotateSecret", "TagResource", "UntagResource", "DeleteSecret"} {
		got := post(t, s.url, operation, "{"+id+"}")
		if got.body["__type"] != "InvalidRequestException" ||
			got.body["Message"] != "You can't perform this operation on the secret because it was marked for deletion." {
			t.Errorf("%s: %s", operation, got.text)
		}
	}
	if d := s.describe(t, "n").DeletedDate; d == nil || time.Until(*d) < 6*24*time.Hour {
		t.Errorf("deletion date is %v", d)
	}
	_, err := s.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("n"), SecretString: aws.String("v")})
	wantCode(t, err, "InvalidRequestException",
		"You can't create this secret because a secret with this name is already scheduled for deletion.")
	must(s.RestoreSecret(t.Context(), &secretsmanager.RestoreSecretInput{SecretId: aws.String("n")}))(t)
	s.put(t, "n", "two", "2")
	if s.describe(t, "n").DeletedDate != nil {
		t.Error("a restored secret has a deletion date")
	}
}

func TestDeleteSecretKeepsTheRecoveryWindow(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	s := serve(t, local.Options{Now: func() time.Time { return now }})
	s.create(t, "n", "v")
	for name, test := range map[string]struct {
		in   secretsmanager.DeleteSecretInput
		text string
	}{
		"too short": {secretsmanager.DeleteSecretInput{RecoveryWindowInDays: aws.Int64(6)}, "7 and 30"},
		"too long":  {secretsmanager.DeleteSecretInput{RecoveryWindowInDays: aws.Int64(31)}, "7 and 30"},
		"both":      {secretsmanager.DeleteSecretInput{RecoveryWindowInDays: aws.Int64(7), ForceDeleteWithoutRecovery: aws.Bool(true)}, "in conjunction"},
	} {
		t.Run(name, func(t *testing.T) {
			test.in.SecretId = aws.String("n")
			_, err := s.DeleteSecret(t.Context(), &test.in)
			wantCode(t, err, "InvalidParameterException", test.text)
		})
	}
	out := must(s.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: aws.String("n")}))(t)
	if !out.DeletionDate.Equal(now.Add(30 * 24 * time.Hour)) {
		t.Errorf("deleted on %v", out.DeletionDate)
	}
	now = now.Add(30 * 24 * time.Hour)
	_, err := s.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String("n")})
	wantCode(t, err, "ResourceNotFoundException", "")
	s.create(t, "n", "new")
}

func TestForcedDeletionIsAtOnceAndNeverFailsForAMissingSecret(t *testing.T) {
	s := serve(t, local.Options{})
	first := s.create(t, "n", "v")
	s.delete(t, "n")
	for _, id := range []string{"n", "n", first} {
		out := must(s.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: &id, ForceDeleteWithoutRecovery: aws.Bool(true)}))(t)
		if out.DeletionDate == nil || *out.ARN == "" {
			t.Errorf("got %+v", out)
		}
	}
	if again := s.create(t, "n", "v"); again == first {
		t.Error("a secret made anew has the old one's ARN")
	}
	_, err := s.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: aws.String("absent")})
	wantCode(t, err, "ResourceNotFoundException", "")
}

func TestGetRandomPasswordKeepsToWhatIsAskedFor(t *testing.T) {
	s := serve(t, local.Options{})
	const lower, upper, digit = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
	for name, test := range map[string]struct {
		in       secretsmanager.GetRandomPasswordInput
		length   int
		has, not string // every word of has: at least one of its characters; none of not
	}{
		"default":      {secretsmanager.GetRandomPasswordInput{}, 32, lower + " " + upper + " " + digit + " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", " "},
		"four of four": {secretsmanager.GetRandomPasswordInput{PasswordLength: aws.Int64(4)}, 4, lower + " " + upper + " " + digit, " "},
		"excluded types": {secretsmanager.GetRandomPasswordInput{ExcludeLowercase: aws.Bool(true), ExcludeNumbers: aws.Bool(true),
			ExcludePunctuation: aws.Bool(true)}, 32, upper, lower + digit + "!"},
		"excluded characters": {secretsmanager.GetRandomPasswordInput{ExcludeCharacters: aws.String(lower + "/@\"'\\")}, 32, upper + " " + digit, lower + "/@\"'\\"},
	} {
		t.Run(name, func(t *testing.T) {
			for range 20 {
				got := *must(s.GetRandomPassword(t.Context(), &test.in))(t).RandomPassword
				if len(got) != test.length || strings.ContainsAny(got, test.not) {
					t.Errorf("got %q", got)
				}
				for _, class := range strings.Fields(test.has) {
					if !strings.ContainsAny(got, class) {
						t.Errorf("%q has nothing of %s", got, class)
					}
				}
			}
		})
	}
	spaced := must(s.GetRandomPassword(t.Context(), &secretsmanager.GetRandomPasswordInput{IncludeSpace: aws.Bool(true)}))(t)
	if !strings.Contains(*spaced.RandomPassword, " ") {
		t.Errorf("%q has no space", *spaced.RandomPassword)
	}
	for _, bad := range []secretsmanager.GetRandomPasswordInput{
		{PasswordLength: aws.Int64(3)},
		{ExcludeLowercase: aws.Bool(true), ExcludeUppercase: aws.Bool(true), ExcludeNumbers: aws.Bool(true), ExcludePunctuation: aws.Bool(true)},
	} {
		_, err := s.GetRandomPassword(t.Context(), &bad)
		wantCode(t, err, "InvalidParameterException", "")
	}
	short := secretsmanager.GetRandomPasswordInput{PasswordLength: aws.Int64(3), RequireEachIncludedType: aws.Bool(false)}
	if got := *must(s.GetRandomPassword(t.Context(), &short))(t).RandomPassword; len(got) != 3 {
		t.Errorf("got %q", got)
	}
}
