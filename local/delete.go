package local

import (
	"errors"
	"strings"
	"time"
)

type deleteIn struct {
	SecretID                   string `json:"SecretId"`
	RecoveryWindowInDays       *int64
	ForceDeleteWithoutRecovery bool
}

type deleteOut struct {
	identity
	DeletionDate *epoch
}

func (in deleteIn) check() error {
	if _, err := recoveryDays(in); err != nil {
		return err
	}
	return checkID(in.SecretID)
}

// deleteSecret schedules a deletion, or with ForceDeleteWithoutRecovery deletes at once; the latter succeeds for a
// secret that is pending deletion or not there at all.
func (s region) deleteSecret(in deleteIn) (deleteOut, error) {
	days, err := recoveryDays(in)
	if err != nil {
		return deleteOut{}, err
	}
	sec, err := s.find(in.SecretID)
	switch {
	case err == nil && sec.replica != nil:
		return deleteOut{}, fail(codeInvalidParameter, textReplica)
	case err == nil && len(sec.replicas) > 0:
		return deleteOut{}, fail(codeInvalidParameter, "You can't delete secret %s that still has replica regions [%s]", sec.name, sec.replicaRegions())
	}
	var refused *serviceError
	if in.ForceDeleteWithoutRecovery && (err == nil || errors.As(err, &refused) && refused.code == codeNotFound) {
		return s.deleteNow(in.SecretID, sec), nil
	}
	if err == nil && !sec.deletion.IsZero() {
		err = fail(codeInvalidRequest, textDeleted)
	}
	if err != nil {
		return deleteOut{}, err
	}
	sec.deletion = s.now().Add(time.Duration(days) * 24 * time.Hour)
	sec.stopRuns()
	return deleteOut{identity: sec.identity(), DeletionDate: stamp(sec.deletion)}, nil
}

func recoveryDays(in deleteIn) (int64, error) {
	switch {
	case in.RecoveryWindowInDays == nil:
		return 30, nil
	case in.ForceDeleteWithoutRecovery:
		return 0, fail(codeInvalidParameter, "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
	case *in.RecoveryWindowInDays < 7 || *in.RecoveryWindowInDays > 30:
		return 0, fail(codeInvalidParameter, "RecoveryWindowInDays value must be between 7 and 30 days (inclusive).")
	}
	return *in.RecoveryWindowInDays, nil
}

// deleteNow removes sec, which may be nil.
func (s region) deleteNow(id string, sec *secret) deleteOut {
	who := identity{ARN: id, Name: strings.TrimPrefix(id, s.arnPrefix())}
	if who.Name == id {
		who.ARN = s.arnPrefix() + id + "-" + randomText(alphanumeric, arnSuffix)
	}
	if sec != nil {
		who = sec.identity()
		s.drop(sec)
	}
	return deleteOut{identity: who, DeletionDate: stamp(s.now())}
}

func (s region) restoreSecret(in secretIn) (identity, error) {
	sec, err := s.find(in.SecretID)
	if err == nil && sec.replica != nil {
		err = fail(codeInvalidParameter, textReplica)
	}
	if err != nil {
		return identity{}, err
	}
	sec.deletion = time.Time{}
	return sec.identity(), nil
}
