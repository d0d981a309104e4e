package local

type putPolicyIn struct {
	SecretID          string `json:"SecretId"`
	ResourcePolicy    string
	BlockPublicPolicy bool
}

func (in putPolicyIn) check() error {
	if err := checkID(in.SecretID); err != nil {
		return err
	}
	p, err := parsePolicy(in.ResourcePolicy)
	switch {
	case err != nil:
		return err
	case p.locksOut():
		return fail(codeInvalidRequest, textLocksOut)
	case in.BlockPublicPolicy && p.public():
		return fail(codePublicPolicy, textPublic)
	}
	return nil
}

// putResourcePolicy stores the policy as it was sent.
func (s region) putResourcePolicy(in putPolicyIn) (identity, error) {
	sec, err := s.changeable(in.SecretID)
	if err != nil {
		return identity{}, err
	}
	sec.policy = in.ResourcePolicy
	return sec.identity(), nil
}

type policyOut struct {
	identity
	ResourcePolicy string `json:",omitempty"`
}

func (s region) getResourcePolicy(in secretIn) (policyOut, error) {
	sec, err := s.usable(in.SecretID)
	if err != nil {
		return policyOut{}, err
	}
	return policyOut{sec.identity(), sec.policy}, nil
}

func (s region) deleteResourcePolicy(in secretIn) (identity, error) {
	sec, err := s.changeable(in.SecretID)
	if err != nil {
		return identity{}, err
	}
	sec.policy = ""
	return sec.identity(), nil
}

type validatePolicyIn struct {
	SecretID       *string `json:"SecretId"`
	ResourcePolicy string
}

func (in validatePolicyIn) check() error {
	if in.SecretID != nil {
		if err := checkID(*in.SecretID); err != nil {
			return err
		}
	}
	_, err := parsePolicy(in.ResourcePolicy)
	return err
}

type validatePolicyOut struct {
	PolicyValidationPassed bool
	ValidationErrors       []policyFault
}

type policyFault struct{ CheckName, ErrorMessage string }

// validateResourcePolicy makes the checks of PutResourcePolicy, of which it tells two in its reply. AWS names the checks, and neither
// their CheckName nor their words: these are our choice.
func (s region) validateResourcePolicy(in validatePolicyIn) (validatePolicyOut, error) {
	if in.SecretID != nil {
		if _, err := s.usable(*in.SecretID); err != nil {
			return validatePolicyOut{}, err
		}
	}
	p, err := parsePolicy(in.ResourcePolicy)
	if err != nil {
		return validatePolicyOut{}, err
	}
	out := validatePolicyOut{ValidationErrors: []policyFault{}}
	if p.public() {
		out.ValidationErrors = append(out.ValidationErrors, policyFault{"PUBLIC_POLICY", textPublic})
	}
	if p.locksOut() {
		out.ValidationErrors = append(out.ValidationErrors, policyFault{"LOCKOUT", textLocksOut})
	}
	out.PolicyValidationPassed = len(out.ValidationErrors) == 0
	return out, nil
}
