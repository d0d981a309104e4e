package local_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/seed492efc12/rotor/local"
)

// replicated is a service with the secret n of us-east-1, replicated to eu-west-1.
func replicated(t *testing.T) (primary, replica service) {
	t.Helper()
	s := serve(t, local.Options{})
	s.create(t, "n", "v")
	out := must(s.ReplicateSecretToRegions(t.Context(), &secretsmanager.ReplicateSecretToRegionsInput{SecretId: aws.String("n"),
		AddReplicaRegions: []types.ReplicaRegionType{{Region: aws.String("eu-west-1")}}}))(t)
	wantReplication(t, out.ReplicationStatus, "eu-west-1 InSync")
	return s, s.in("eu-west-1")
}

func wantReplication(t *testing.T, list []types.ReplicationStatusType, want ...string) {
	t.Helper()
	var got []string
	for _, r := range list {
		got = append(got, *r.Region+" "+string(r.Status))
	}
	if strings.Join(got, ", ") != strings.Join(want, ", ") {
		t.Errorf("replication is %q, want %q", got, want)
	}
}

func (s service) value(t *testing.T, id string) string {
	t.Helper()
	return *must(s.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &id}))(t).SecretString
}

func (s service) wantAbsent(t *testing.T, id string) {
	t.Helper()
	_, err := s.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: &id})
	wantCode(t, err, "ResourceNotFoundException", "")
}

func TestEachRegionHasSecretsOfItsOwn(t *testing.T) {
	s := serve(t, local.Options{})
	west := s.in("eu-west-1")
	arn := s.create(t, "n", "east")
	s.create(t, "alone", "v")
	if !strings.Contains(west.create(t, "n", "west"), ":eu-west-1:") || s.value(t, "n") != "east" || west.value(t, "n") != "west" {
		t.Error("two regions share a secret")
	}
	west.wantAbsent(t, "alone")
	west.wantAbsent(t, arn)
	if got := names(must(west.ListSecrets(t.Context(), &secretsmanager.ListSecretsInput{}))(t).SecretList); got != "n" {
		t.Errorf("eu-west-1 lists %s", got)
	}
}

func TestAReplicaShowsThePrimaryAndIsReadOnly(t *testing.T) {
	primary, replica := replicated(t)
	primary.put(t, "n", "two", "w")
	must(primary.TagResource(t.Context(), &secretsmanager.TagResourceInput{SecretId: aws.String("n"), Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}}))(t)
	replica.wantLabels(t, "n", "one=AWSPREVIOUS two=AWSCURRENT")
	arn := *primary.describe(t, "n").ARN
	d := replica.describe(t, strings.Replace(arn, "us-east-1", "eu-west-1", 1))
	if replica.value(t, "n") != "w" || len(d.Tags) != 1 || aws.ToString(d.PrimaryRegion) != "us-east-1" || d.ReplicationStatus != nil {
		t.Errorf("the replica is %+v", d)
	}
	if p := primary.describe(t, "n"); aws.ToString(p.PrimaryRegion) != "us-east-1" || p.LastAccessedDate != nil || p.ReplicationStatus[0].LastAccessedDate == nil {
		t.Errorf("the primary is %+v", p)
	}
	listed := must(replica.ListSecrets(t.Context(), &secretsmanager.ListSecretsInput{}))(t).SecretList
	if len(listed) != 1 || aws.ToString(listed[0].PrimaryRegion) != "us-east-1" {
		t.Errorf("the replica's region lists %+v", listed)
	}
	rest := `"ClientRequestToken": "` + token("three") + `", "SecretString": "x", "VersionStage": "y", "MoveToVersionId": "` + token("one") + `",
		"Tags": [], "TagKeys": [], "ResourcePolicy": ` + quoted(allow("arn:aws:iam::123456789012:root")) + `, "AddReplicaRegions": [{"Region": "eu-west-2"}],
		"RemoveReplicaRegions": ["eu-west-1"]}`
	for _, operation := range []string{"CancelRotateSecret", "DeleteResourcePolicy", "DeleteSecret", "PutResourcePolicy", "PutSecretValue",
		"RemoveRegionsFromReplication", "ReplicateSecretToRegions", "RestoreSecret", "RotateSecret", "TagResource", "UntagResource", "UpdateSecret",
		"UpdateSecretVersionStage"} {
		got := postIn(t, replica.url, "eu-west-1", operation, `{"SecretId": "n", `+rest)
		if got.body["__type"] != "InvalidParameterException" || !strings.Contains(got.text, "Operation not permitted on a replica secret.") {
			t.Errorf("%s of a replica: got %s", operation, got.text)
		}
	}
	replica.wantLabels(t, "n", "one=AWSPREVIOUS two=AWSCURRENT")
}

func TestAPrimaryWithReplicasIsNotDeletedUntilTheyAreRemoved(t *testing.T) {
	primary, replica := replicated(t)
	for _, force := range []bool{false, true} {
		_, err := primary.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: aws.String("n"), ForceDeleteWithoutRecovery: &force})
		wantCode(t, err, "InvalidParameterException", "You can't delete secret n that still has replica regions [eu-west-1]")
	}
	remove := secretsmanager.RemoveRegionsFromReplicationInput{SecretId: aws.String("n"), RemoveReplicaRegions: []string{"eu-west-1"}}
	wantReplication(t, must(primary.RemoveRegionsFromReplication(t.Context(), &remove))(t).ReplicationStatus)
	replica.wantAbsent(t, "n")
	_, err := primary.RemoveRegionsFromReplication(t.Context(), &remove)
	wantCode(t, err, "InvalidParameterException", "eu-west-1")
	primary.delete(t, "n")
}

func TestAReplicaThatIsPromotedIsASecretOfItsOwn(t *testing.T) {
	primary, replica := replicated(t)
	primary.put(t, "n", "two", "w")
	arn := *replica.describe(t, "n").ARN
	out := must(replica.StopReplicationToReplica(t.Context(), &secretsmanager.StopReplicationToReplicaInput{SecretId: aws.String("n")}))(t)
	if *out.ARN != arn {
		t.Errorf("the ARN was %s, and is %s", arn, *out.ARN)
	}
	primary.put(t, "n", "three", "x")
	replica.wantLabels(t, "n", "one=AWSPREVIOUS two=AWSCURRENT")
	replica.put(t, "n", "four", "y")
	if primary.value(t, "n") != "x" || replica.value(t, "n") != "y" {
		t.Error("the two secrets still share a value")
	}
	wantReplication(t, primary.describe(t, "n").ReplicationStatus)
	_, err := replica.StopReplicationToReplica(t.Context(), &secretsmanager.StopReplicationToReplicaInput{SecretId: aws.String("n")})
	wantCode(t, err, "InvalidRequestException", "not a replica")
	primary.delete(t, "n")
}

func TestReplicationFailsWhereTheNameIsTakenUnlessForced(t *testing.T) {
	s := serve(t, local.Options{})
	west := s.in("eu-west-1")
	west.create(t, "n", "theirs")
	regions := []types.ReplicaRegionType{{Region: aws.String("eu-west-1")}, {Region: aws.String("eu-west-2")}}
	made := must(s.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("n"), SecretString: aws.String("v"), AddReplicaRegions: regions}))(t)
	wantReplication(t, made.ReplicationStatus, "eu-west-1 Failed", "eu-west-2 InSync")
	if text := *made.ReplicationStatus[0].StatusMessage; text != "Replication failed: Secret name n already exists in region eu-west-1." {
		t.Errorf("the status is %q", text)
	}
	if west.value(t, "n") != "theirs" {
		t.Error("the secret that was there is changed")
	}
	out := must(s.ReplicateSecretToRegions(t.Context(), &secretsmanager.ReplicateSecretToRegionsInput{SecretId: aws.String("n"),
		AddReplicaRegions: regions[:1], ForceOverwriteReplicaSecret: true}))(t)
	wantReplication(t, out.ReplicationStatus, "eu-west-2 InSync", "eu-west-1 InSync")
	if west.value(t, "n") != "v" {
		t.Error("the secret was not replaced")
	}
	for _, bad := range []string{"us-east-1", "eu-west-2", "nowhere-9", "cn-north-1"} {
		_, err := s.ReplicateSecretToRegions(t.Context(), &secretsmanager.ReplicateSecretToRegionsInput{SecretId: aws.String("n"),
			AddReplicaRegions: []types.ReplicaRegionType{{Region: aws.String("ap-south-1")}, {Region: &bad}}})
		wantCode(t, err, "InvalidParameterException", "Invalid replica region.")
	}
	s.in("ap-south-1").wantAbsent(t, "n")
}

// keys are those of one region.
type keys map[string]string

func (k keys) Has(region, key string) bool { return k[key] == region }

func TestAKeyMustExistWhereKeysAreKnown(t *testing.T) {
	s := serve(t, local.Options{Keys: keys{"alias/mine": "us-east-1", "alias/theirs": "eu-west-1"}})
	create := func(name, key, replica string) error {
		in := secretsmanager.CreateSecretInput{Name: &name, KmsKeyId: &key, SecretString: aws.String("v")}
		if replica != "" {
			in.AddReplicaRegions = []types.ReplicaRegionType{{Region: aws.String("eu-west-1"), KmsKeyId: &replica}}
		}
		_, err := s.CreateSecret(t.Context(), &in)
		return err
	}
	for _, good := range [][3]string{{"a", "alias/mine", ""}, {"b", "alias/mine", "alias/theirs"}, {"c", "alias/aws/secretsmanager", "alias/aws/secretsmanager"}} {
		if err := create(good[0], good[1], good[2]); err != nil {
			t.Error(err)
		}
	}
	wantCode(t, create("d", "alias/theirs", ""), "ResourceNotFoundException", "alias/theirs")
	wantCode(t, create("d", "alias/mine", "alias/mine"), "ResourceNotFoundException", "alias/mine")
	s.wantAbsent(t, "d")
	_, err := s.UpdateSecret(t.Context(), &secretsmanager.UpdateSecretInput{SecretId: aws.String("a"), KmsKeyId: aws.String("none"), SecretString: aws.String("w")})
	wantCode(t, err, "ResourceNotFoundException", "none")
	if s.value(t, "a") != "v" {
		t.Error("a refused UpdateSecret changed the value")
	}
}
