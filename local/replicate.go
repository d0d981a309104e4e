package local

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// replication is what a primary notes of one of its replicas. The replica itself is a secret in its region that has no
// version of its own: it shows the primary's, so that it is always in sync.
type replication struct {
	region, kmsKeyID string
	// conflict is why there is no replica: a secret in that region has the name.
	conflict string
}

type replicaRegion struct {
	Region   string
	KmsKeyID string `json:"KmsKeyId"`
}

type replicationStatus struct {
	Region           string
	KmsKeyID         string `json:"KmsKeyId,omitempty"`
	Status           string
	StatusMessage    string `json:",omitempty"`
	LastAccessedDate *epoch `json:",omitempty"`
}

type replicateIn struct {
	SecretID                    string `json:"SecretId"`
	AddReplicaRegions           []replicaRegion
	ForceOverwriteReplicaSecret bool
}

func (in replicateIn) check() error {
	if err := checkID(in.SecretID); err != nil {
		return err
	}
	return checkRegions(in.AddReplicaRegions)
}

func checkRegions(wanted []replicaRegion) error {
	for i, r := range wanted {
		again := slices.ContainsFunc(wanted[:i], func(other replicaRegion) bool { return other.Region == r.Region })
		if !realRegion.MatchString(r.Region) || again {
			return fail(codeInvalidParameter, textBadRegion)
		}
	}
	return nil
}

// realRegion is what AWS's SDKs know regions by, of the partition aws.
var realRegion = regexp.MustCompile(`^(us|eu|ap|sa|ca|me|af|il|mx)-\w+-\d+$`)

type replicateOut struct {
	ARN               string
	ReplicationStatus []replicationStatus
}

func (s region) replicateSecretToRegions(in replicateIn) (replicateOut, error) {
	sec, err := s.changeable(in.SecretID)
	if err == nil {
		err = s.replicate(sec, in.AddReplicaRegions, in.ForceOverwriteReplicaSecret)
	}
	if err != nil {
		return replicateOut{}, err
	}
	sec.changed = s.now()
	return replicateOut{ARN: sec.arn, ReplicationStatus: s.replicationOf(sec)}, nil
}

// mayReplicate refuses without changing anything.
func (s region) mayReplicate(sec *secret, wanted []replicaRegion) error {
	for _, r := range wanted {
		there := slices.ContainsFunc(sec.replicas, func(old replication) bool { return old.region == r.Region && old.conflict == "" })
		if r.Region == s.name || there {
			return fail(codeInvalidParameter, textBadRegion)
		}
		if err := s.in(r.Region).checkKey(r.KmsKeyID); err != nil {
			return err
		}
	}
	return nil
}

// replicate makes replicas. Where a secret has the name already, the replication fails and says so, unless force replaces that secret.
func (s region) replicate(sec *secret, wanted []replicaRegion, force bool) error {
	if err := s.mayReplicate(sec, wanted); err != nil {
		return err
	}
	for _, r := range wanted {
		made := replication{region: r.Region, kmsKeyID: r.KmsKeyID}
		there := s.in(r.Region)
		at := address{r.Region, sec.name}
		if old := s.secrets[at]; old != nil && !s.expired(old) && (!force || old.primary != "" || len(old.replicas) > 0) {
			made.conflict = "Replication failed: Secret name " + sec.name + " already exists in region " + r.Region + "."
		} else {
			if old != nil {
				s.drop(old)
			}
			s.secrets[at] = &secret{
				arn: there.arnPrefix() + sec.arn[len(s.arnPrefix()):], name: sec.name, region: r.Region, kmsKeyID: r.KmsKeyID,
				primary: s.name, created: s.now(),
			}
		}
		sec.replicas = slices.DeleteFunc(sec.replicas, func(old replication) bool { return old.region == r.Region })
		sec.replicas = append(sec.replicas, made)
	}
	return nil
}

// shown is a secret as its region shows it: of a replica, a copy of its primary with what the replica has of its own.
func (s *SecretsManager) shown(sec *secret) *secret {
	if sec.primary == "" {
		return sec
	}
	view := *s.secrets[address{sec.primary, sec.name}]
	view.arn, view.region, view.kmsKeyID, view.accessed = sec.arn, sec.region, sec.kmsKeyID, sec.accessed
	view.primary, view.replica, view.replicas = sec.primary, sec, nil
	return &view
}

// replicationOf is ReplicationStatus, nil for a secret that was never replicated.
func (s *SecretsManager) replicationOf(sec *secret) []replicationStatus {
	var list []replicationStatus
	for _, r := range sec.replicas {
		status := replicationStatus{Region: r.region, KmsKeyID: firstOf(r.kmsKeyID, ownKey), Status: "InSync", StatusMessage: "Replication succeeded"}
		if r.conflict != "" {
			status.Status, status.StatusMessage = "Failed", r.conflict
		} else {
			status.LastAccessedDate = stamp(s.secrets[address{r.region, sec.name}].accessed)
		}
		list = append(list, status)
	}
	return list
}

// replicaRegions lists where a primary has replicas, those that failed too.
func (s *secret) replicaRegions() string {
	var names []string
	for _, r := range s.replicas {
		names = append(names, r.region)
	}
	return strings.Join(names, ",")
}

type removeRegionsIn struct {
	SecretID             string `json:"SecretId"`
	RemoveReplicaRegions []string
}

func (in removeRegionsIn) check() error { return checkID(in.SecretID) }

// removeRegionsFromReplication deletes replicas. Of a replication that failed there is only the note to delete.
func (s region) removeRegionsFromReplication(in removeRegionsIn) (replicateOut, error) {
	sec, err := s.changeable(in.SecretID)
	if err != nil {
		return replicateOut{}, err
	}
	for _, name := range in.RemoveReplicaRegions {
		if !slices.ContainsFunc(sec.replicas, func(r replication) bool { return r.region == name }) {
			return replicateOut{}, fail(codeInvalidParameter, "The secret has no replica in region %s.", name)
		}
	}
	sec.replicas = slices.DeleteFunc(sec.replicas, func(r replication) bool {
		gone := slices.Contains(in.RemoveReplicaRegions, r.region)
		if gone && r.conflict == "" {
			s.drop(s.secrets[address{r.region, sec.name}])
		}
		return gone
	})
	sec.changed = s.now()
	return replicateOut{ARN: sec.arn, ReplicationStatus: append([]replicationStatus{}, s.replicationOf(sec)...)}, nil
}

type stopReplicationIn secretIn

func (in stopReplicationIn) check() error { return checkID(in.SecretID) }

type arnOut struct{ ARN string }

// stopReplicationToReplica makes a replica a secret of its own, with the versions that it showed. It is called in the replica's region.
// A version without a value belongs to the primary's rotation, and stays there.
func (s region) stopReplicationToReplica(in stopReplicationIn) (arnOut, error) {
	view, err := s.usable(in.SecretID)
	if err != nil {
		return arnOut{}, err
	}
	if view.replica == nil {
		return arnOut{}, fail(codeInvalidRequest, "The secret is not a replica.")
	}
	primary := s.secrets[address{view.primary, view.name}]
	primary.replicas = slices.DeleteFunc(primary.replicas, func(r replication) bool { return r.region == s.name })
	own := secret{
		arn: view.arn, name: view.name, region: view.region, description: view.description, kmsKeyID: view.kmsKeyID, kind: view.kind,
		policy: view.policy, created: view.replica.created, changed: s.now(), accessed: view.accessed,
		tags: slices.Clone(view.tags), labels: maps.Clone(view.labels),
	}
	for _, v := range view.versions {
		if v.value != nil {
			own.versions = append(own.versions, &version{id: v.id, created: v.created, accessed: v.accessed, value: v.value})
		}
	}
	maps.DeleteFunc(own.labels, func(_, id string) bool { return own.version(id) == nil })
	*view.replica = own
	return arnOut{ARN: own.arn}, nil
}
