package local

import (
	"context"
	"time"
)

type rotateIn struct {
	SecretID           string `json:"SecretId"`
	ClientRequestToken string
	RotationLambdaARN  string
	RotationRules      *rotationRules
	RotateImmediately  *bool

	ExternalSecretRotationMetadata []struct{ Key, Value string }
	ExternalSecretRotationRoleARN  string `json:"ExternalSecretRotationRoleArn"`
}

func (in rotateIn) check() error {
	if err := checkToken(in.ClientRequestToken, codeInvalidParameter); err != nil {
		return err
	}
	if in.ExternalSecretRotationMetadata != nil || in.ExternalSecretRotationRoleARN != "" {
		return fail(codeInvalidParameter, textNoExternal)
	}
	if err := in.RotationRules.check(); err != nil {
		return err
	}
	return checkID(in.SecretID)
}

// rotateSecret stores the configuration, makes the AWSPENDING version, and starts the rotation in
// the background. A token that names a version whose rotation is in progress or has succeeded changes nothing; one
// whose rotation has failed runs that rotation again. The version has no value but in a trial, where it has AWSCURRENT's (moto's tests,
// which their author ran against AWS; AWS's own functions read AWSPENDING first in testSecret).
func (s region) rotateSecret(in rotateIn) (versionOut, error) {
	sec, err := s.changeable(in.SecretID)
	if err != nil {
		return versionOut{}, err
	}
	function := firstOf(in.RotationLambdaARN, sec.rotation.function)
	if err := s.checkRotate(sec, in, function); err != nil {
		return versionOut{}, err
	}
	out := versionOut{identity: sec.identity(), VersionID: in.ClientRequestToken}
	v := sec.version(in.ClientRequestToken)
	if v == nil {
		v = &version{id: in.ClientRequestToken, created: s.now(), trial: in.RotateImmediately != nil && !*in.RotateImmediately}
		if current := sec.version(sec.labels[labelCurrent]); v.trial && current != nil {
			v.value = current.value
		}
		if err := sec.add(v, labelPending); err != nil {
			return versionOut{}, err
		}
	}
	sec.configureRotation(function, in.RotationRules)
	sec.rotation.next = sec.rotation.rules.next(s.now())
	sec.changed = s.now()
	if sec.labels[labelPending] == v.id && sec.labels[labelCurrent] != v.id {
		s.start(sec, v)
	}
	return out, nil
}

// checkRotate refuses without changing anything, but for an incomplete rotation: that one is run again.
func (s region) checkRotate(sec *secret, in rotateIn, function string) error {
	pending, current := sec.labels[labelPending], sec.labels[labelCurrent]
	token := in.ClientRequestToken
	switch {
	case s.closed:
		return fail(codeInternal, "The service is closed.")
	case function == "":
		return fail(codeInvalidRequest, textNoFunction)
	case pending != "" && pending != current && pending != token:
		s.reattempt(sec, pending)
		return fail(codeInvalidRequest, textIncomplete)
	case !s.invocable(function):
		return fail(codeAccessDenied, textCannotCall)
	case sec.version(token) != nil && token != pending && token != current:
		return fail(codeInvalidRequest, "You can't use ClientRequestToken %s because that value is already in use for a version "+
			"of secret %s.", token, sec.arn)
	}
	return nil
}

// reattempt runs the incomplete rotation again that stands in another's way, if rotation is on and the function
// may be invoked.
func (s *SecretsManager) reattempt(sec *secret, pending string) {
	v := sec.version(pending)
	enabled := sec.rotation.enabled != nil && *sec.rotation.enabled
	if enabled && s.invocable(sec.rotation.function) {
		s.start(sec, v)
	}
}

// invocable tells whether the service may call the function.
func (s *SecretsManager) invocable(function string) bool {
	if s.options.Invoke == nil {
		return false
	}
	chooser, chooses := s.options.Invoke.(interface{ Invocable(functionARN string) bool })
	return !chooses || chooser.Invocable(function)
}

func (s *secret) configureRotation(function string, rules *rotationRules) {
	enabled := true
	s.rotation.enabled = &enabled
	s.rotation.function = function
	if rules != nil {
		s.rotation.rules = rules
	}
}

// cancelRotateSecret turns rotation off. A rotation in progress ends after the step that is running; its version
// keeps AWSPENDING and is named in the reply.
func (s region) cancelRotateSecret(in secretIn) (versionOut, error) {
	sec, err := s.changeable(in.SecretID)
	if err != nil {
		return versionOut{}, err
	}
	if sec.rotation.function == "" {
		return versionOut{}, fail(codeInvalidRequest, textNoFunction)
	}
	enabled := false
	sec.rotation.enabled = &enabled
	sec.rotation.next = time.Time{}
	sec.stopRuns()
	return versionOut{identity: sec.identity(), VersionID: sec.labels[labelPending]}, nil
}

// Wait blocks until the rotation that made the version token of a secret has ended, retries included, and returns
// nil if it succeeded. Otherwise it returns the error of the last step that ran (errors.As finds the function's own
// error), [ErrCanceled] if the rotation was stopped by CancelRotateSecret, DeleteSecret or Close, or ctx's error if
// that ends first. When Wait returns nil, DescribeSecret already shows the final labels. A rotation that RotateSecret
// ran again is waited for as a whole. An unknown secret or token is an error at once.
func (s *SecretsManager) Wait(ctx context.Context, secretID, token string) error {
	s.mu.Lock()
	sec, err := s.in(regionOf(secretID)).find(secretID)
	var r *run
	if err == nil {
		r = sec.rotation.runs[token]
	}
	s.mu.Unlock()
	switch {
	case err != nil:
		return err
	case r == nil:
		return fail(codeNotFound, "No rotation of secret %s has that token.", sec.arn)
	}
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}
