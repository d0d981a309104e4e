package local

type updateStageIn struct {
	SecretID            string `json:"SecretId"`
	VersionStage        string
	RemoveFromVersionID string `json:"RemoveFromVersionId"`
	MoveToVersionID     string `json:"MoveToVersionId"`
}

func (in updateStageIn) check() error {
	if in.RemoveFromVersionID == "" && in.MoveToVersionID == "" {
		return fail(codeInvalidParameter, "You must provide MoveToVersionId, RemoveFromVersionId or both.")
	}
	return checkID(in.SecretID)
}

// updateSecretVersionStage moves, adds or removes one staging label. To take a label off a version, the caller must
// name that version: this is what makes finishSecret safe against a concurrent change.
func (s region) updateSecretVersionStage(in updateStageIn) (identity, error) {
	sec, err := s.changeable(in.SecretID)
	if err != nil {
		return identity{}, err
	}
	if err := sec.checkStageMove(in); err != nil {
		return identity{}, err
	}
	if in.MoveToVersionID == "" {
		delete(sec.labels, in.VersionStage)
	} else {
		sec.attach(in.MoveToVersionID, in.VersionStage)
	}
	sec.changed = s.now()
	sec.prune(sec.changed)
	return sec.identity(), nil
}

func (s *secret) checkStageMove(in updateStageIn) error {
	for _, id := range []string{in.RemoveFromVersionID, in.MoveToVersionID} {
		if id != "" && s.version(id) == nil {
			return noVersion(id)
		}
	}
	label, from, to := in.VersionStage, in.RemoveFromVersionID, in.MoveToVersionID
	holder, attached := s.labels[label]
	switch {
	case to == "" && label == labelCurrent:
		return fail(codeInvalidParameter, textKeepCurrent)
	case to == "" && holder != from:
		return fail(codeInvalidParameter, "Staging label %s isn't attached to version %s.", label, from)
	case from == "" && attached && holder != to:
		return fail(codeInvalidParameter, "The parameter RemoveFromVersionId can't be empty. Staging label %s is currently "+
			"attached to version %s, so you must explicitly reference that version in RemoveFromVersionId.", label, holder)
	case from != "" && from != holder:
		return fail(codeInvalidParameter, "When you move staging label %s, if you specify RemoveFromVersionId, it must be set "+
			"to the version that currently has the staging label %s.", label, label)
	case to != "":
		return s.checkRoom(label)
	}
	return nil
}
