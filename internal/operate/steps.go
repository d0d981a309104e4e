package operate

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
)

// Secrets are the calls that the steps make: a [secretsmanager.Client].
type Secrets interface {
	GetSecretValue(ctx context.Context, in *secretsmanager.GetSecretValueInput, options ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
	PutSecretValue(ctx context.Context, in *secretsmanager.PutSecretValueInput, options ...func(*secretsmanager.Options)) (*secretsmanager.PutSecretValueOutput, error)
	UpdateSecretVersionStage(ctx context.Context, in *secretsmanager.UpdateSecretVersionStageInput, options ...func(*secretsmanager.Options)) (*secretsmanager.UpdateSecretVersionStageOutput, error)
	RotateSecret(ctx context.Context, in *secretsmanager.RotateSecretInput, options ...func(*secretsmanager.Options)) (*secretsmanager.RotateSecretOutput, error)
}

// mergedLabel is on a merged version until it has been seen to work.
const mergedLabel = "ROTOR_MERGED"

// A Target is one secret, and who knows about it.
type Target struct {
	Secrets Secrets
	Asker   Asker
	ARN     string
	Off     bool // rotation is switched off
}

// Which asks which labels work, and decides what the safe step is.
func (t Target) Which(ctx context.Context) (Recovery, error) {
	a, err := t.which(ctx, "")
	if err != nil {
		return Recovery{}, err
	}
	var next *rotation.Failure
	if NeedsPlan(a.Labels, t.Off) {
		plan, err := t.Asker.Ask(ctx, rotation.AskPlan, t.ARN, "")
		if err != nil {
			return Recovery{}, err
		}
		next = plan.Failure
	}
	return Decide(a.Labels, next, t.Off), nil
}

func (t Target) which(ctx context.Context, label string) (rotation.Answer, error) {
	a, err := t.Asker.Ask(ctx, rotation.AskWhich, t.ARN, label)
	if err == nil && a.Failure != nil {
		err = fmt.Errorf("%s: %s %s", strings.TrimPrefix(string(a.Failure.Class), rotation.Prefix), a.Failure.Cause, a.Failure.Remedy)
	}
	return a, err
}

// Commands are those of the AWS CLI that do a step; options, such as a region, are
// put at their ends. A merge has none: it reads values, and Do writes them nowhere.
func (t Target) Commands(r Recovery, options string) (commands []string) {
	move := func(label, to, from string) {
		c := "aws secretsmanager update-secret-version-stage --secret-id " + t.ARN + " --version-stage " + label
		if to != "" {
			c += " --move-to-version-id " + to
		}
		if from != "" {
			c += " --remove-from-version-id " + from
		}
		commands = append(commands, c+options)
	}
	switch r.Step {
	case Rotate:
		commands = append(commands, "aws secretsmanager rotate-secret --secret-id "+t.ARN+options)
	case Finish:
		move(rotation.Current, r.Pending, r.Current)
	case GiveUp:
		if r.Keep {
			move(rotation.Previous, r.Pending, r.Previous)
		}
		move(rotation.Pending, "", r.Pending)
	case GoBack:
		move(rotation.Current, r.Previous, r.Current)
	}
	return commands
}

// Do does the step. It moves AWSCURRENT only to a version that was seen
// to log in.
func (t Target) Do(ctx context.Context, r Recovery) error {
	switch r.Step {
	case Rotate:
		_, err := t.Secrets.RotateSecret(ctx, &secretsmanager.RotateSecretInput{SecretId: &t.ARN})
		if err != nil && strings.Contains(err.Error(), "will be reattempted") {
			return nil // that is how Secrets Manager says that it goes on
		}
		return err
	case Finish:
		return t.move(ctx, rotation.Current, r.Pending, r.Current)
	case GiveUp:
		if r.Keep {
			if err := t.move(ctx, rotation.Previous, r.Pending, r.Previous); err != nil {
				return err
			}
		}
		return t.move(ctx, rotation.Pending, "", r.Pending)
	case GoBack:
		return t.move(ctx, rotation.Current, r.Previous, r.Current)
	case Merge:
		return t.merge(ctx, r)
	}
	return fmt.Errorf("there is no command for the step %q", r.Step)
}

// move moves a label from one version to another; either may be empty.
func (t Target) move(ctx context.Context, label, to, from string) error {
	in := &secretsmanager.UpdateSecretVersionStageInput{SecretId: &t.ARN, VersionStage: &label}
	if to != "" {
		in.MoveToVersionId = &to
	}
	if from != "" {
		in.RemoveFromVersionId = &from
	}
	_, err := t.Secrets.UpdateSecretVersionStage(ctx, in)
	return err
}

// merge makes a version of AWSCURRENT's fields and the credential that works, has it
// tried, and makes it AWSCURRENT if it works. Until then nothing
// that works loses its label.
func (t Target) merge(ctx context.Context, r Recovery) error {
	from := r.Pending
	if r.With == rotation.Previous {
		from = r.Previous
	}
	current, err := t.value(ctx, r.Current)
	if err != nil {
		return err
	}
	works, err := t.value(ctx, from)
	if err != nil {
		return err
	}
	merged := current.With("username", works.Text("username")).With("password", works.Text("password"))
	version := rand.Text() + rand.Text()
	_, err = t.Secrets.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: &t.ARN, ClientRequestToken: &version,
		SecretString: aws.String(string(merged.Bytes())), VersionStages: []string{mergedLabel}})
	if err != nil {
		return err
	}
	a, err := t.which(ctx, mergedLabel)
	if err == nil && !seen(a, mergedLabel) {
		err = fmt.Errorf("AWSCURRENT's fields with %[1]s's password do not work: correct AWSCURRENT's fields (PutSecretValue), and ask again; %[1]s is as it was", r.With)
	}
	if err != nil {
		return errors.Join(err, t.move(ctx, mergedLabel, "", version))
	}
	if err := t.move(ctx, rotation.Current, version, r.Current); err != nil {
		return err
	}
	err = t.move(ctx, mergedLabel, "", version)
	if r.With == rotation.Pending {
		err = errors.Join(err, t.move(ctx, rotation.Pending, "", r.Pending))
	}
	return err
}

func (t Target) value(ctx context.Context, version string) (secret.Document, error) {
	out, err := t.Secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &t.ARN, VersionId: &version})
	if err != nil {
		return secret.Document{}, err
	}
	return secret.Parse([]byte(aws.ToString(out.SecretString)))
}

// seen reports whether the credential of a label was seen to work.
func seen(a rotation.Answer, label string) bool {
	return slices.ContainsFunc(a.Labels, func(l rotation.Label) bool { return l.Name == label && l.Works })
}
