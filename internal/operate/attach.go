package operate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// An Attachment is which function rotates a secret, and when: all that RotateSecret
// configures. It is what the way back is written down as.
type Attachment struct {
	ARN        string `json:"secret"`
	Function   string `json:"function"`
	Days       int64  `json:"days,omitempty"`
	Expression string `json:"expression,omitempty"`
	Duration   string `json:"duration,omitempty"`
}

// AttachmentOf reads what DescribeSecret says. A secret whose rotation is off, or
// under way, has none that could be changed safely.
func AttachmentOf(d *secretsmanager.DescribeSecretOutput) (a Attachment, err error) {
	a = Attachment{ARN: aws.ToString(d.ARN), Function: aws.ToString(d.RotationLambdaARN)}
	if r := d.RotationRules; r != nil {
		a.Days, a.Expression, a.Duration = aws.ToInt64(r.AutomaticallyAfterDays), aws.ToString(r.ScheduleExpression), aws.ToString(r.Duration)
	}
	switch {
	case a.Function == "":
		return a, errors.New("no function rotates it: there is nothing to migrate from; rotate-secret --rotation-lambda-arn attaches one")
	case !aws.ToBool(d.RotationEnabled):
		return a, errors.New("its rotation is switched off: to attach another function would switch it on")
	case underWay(d):
		return a, errors.New("a rotation is under way: see rotor recover, and migrate when it has ended")
	}
	return a, nil
}

func underWay(d *secretsmanager.DescribeSecretOutput) bool {
	for _, labels := range d.VersionIdsToStages {
		if slices.Contains(labels, rotation.Pending) && !slices.Contains(labels, rotation.Current) {
			return true
		}
	}
	return false
}

// A Configurer is what Attach calls: a [secretsmanager.Client].
type Configurer interface {
	RotateSecret(ctx context.Context, in *secretsmanager.RotateSecretInput, options ...func(*secretsmanager.Options)) (*secretsmanager.RotateSecretOutput, error)
	DescribeSecret(ctx context.Context, in *secretsmanager.DescribeSecretInput, options ...func(*secretsmanager.Options)) (*secretsmanager.DescribeSecretOutput, error)
}

// Attach makes a function rotate the secret by these rules. Nothing is rotated: there
// is a trial, and Attach returns when Secrets Manager has ended it.
func (a Attachment) Attach(ctx context.Context, c Configurer, wait time.Duration) error {
	rules := &types.RotationRulesType{}
	if a.Expression != "" {
		rules.ScheduleExpression = &a.Expression
	} else if a.Days > 0 {
		rules.AutomaticallyAfterDays = &a.Days
	}
	if a.Duration != "" {
		rules.Duration = &a.Duration
	}
	in := &secretsmanager.RotateSecretInput{SecretId: &a.ARN, RotationLambdaARN: &a.Function, RotateImmediately: aws.Bool(false)}
	if *rules != (types.RotationRulesType{}) {
		in.RotationRules = rules
	}
	if _, err := c.RotateSecret(ctx, in); err != nil {
		return err
	}
	for until := time.Now().Add(wait); ; {
		d, err := c.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &a.ARN})
		if err != nil || !underWay(d) {
			return err
		}
		if time.Now().After(until) {
			return fmt.Errorf("the trial has not ended after %v", wait)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// With is the same attachment to another function.
func (a Attachment) With(function string) Attachment {
	a.Function = function
	return a
}

// WriteBack adds attachments to a file, one in a line: the way back. There is no
// value in it.
func WriteBack(file string, all ...Attachment) (err error) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for _, a := range all {
		if err := json.NewEncoder(f).Encode(a); err != nil {
			return err
		}
	}
	return f.Sync()
}

// ReadBack reads what WriteBack wrote. Of a secret that was migrated more than once
// it keeps the first attachment.
func ReadBack(r io.Reader) (all []Attachment, err error) {
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	for {
		var a Attachment
		switch err := d.Decode(&a); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, fmt.Errorf("it is no way back that rotor wrote: %w", err)
		case !strings.HasPrefix(a.ARN, "arn:") || !strings.HasPrefix(a.Function, "arn:"):
			return nil, errors.New("it is no way back that rotor wrote: an ARN is missing")
		}
		if !slices.ContainsFunc(all, func(b Attachment) bool { return b.ARN == a.ARN }) {
			all = append(all, a)
		}
	}
}
