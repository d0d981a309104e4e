package rig

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// Command runs a command of the AWS CLI as a message prints it: the last "aws secretsmanager" in text, up to a semicolon or
// the text's end. It returns what the command prints. A rotate-secret waits until the rotation has ended that it starts,
// or that it has Secrets Manager go on with. A region is taken for the rig's. Commands that no message prints are errors.
func (r *Rig) Command(ctx context.Context, text string) (printed string, err error) {
	const begin = "aws secretsmanager "
	at := strings.LastIndex(text, begin)
	if at < 0 {
		return "", fmt.Errorf("no command in %q", text)
	}
	line, _, _ := strings.Cut(text[at+len(begin):], ";")
	operation, flags, err := parse(line)
	if err != nil {
		return "", err
	}
	switch operation {
	case "rotate-secret --secret-id":
		return "", r.again(ctx, flags["--secret-id"])
	case "update-secret-version-stage --remove-from-version-id --secret-id --version-stage",
		"update-secret-version-stage --move-to-version-id --secret-id --version-stage",
		"update-secret-version-stage --move-to-version-id --remove-from-version-id --secret-id --version-stage":
		_, err = r.Client.UpdateSecretVersionStage(ctx, &secretsmanager.UpdateSecretVersionStageInput{
			SecretId: aws.String(flags["--secret-id"]), VersionStage: aws.String(flags["--version-stage"]),
			MoveToVersionId: given(flags, "--move-to-version-id"), RemoveFromVersionId: given(flags, "--remove-from-version-id"),
		})
		return "", err
	case "describe-secret --output --query --secret-id":
		out, err := r.Client.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: aws.String(flags["--secret-id"])})
		if err != nil || flags["--query"] != "KmsKeyId" || flags["--output"] != "text" {
			return "", errors.Join(err, fmt.Errorf("what %q prints is not known", line))
		}
		return aws.ToString(out.KmsKeyId), nil
	}
	return "", fmt.Errorf("the command %q is not known", line)
}

// given is a flag's value, nil if the command has no such flag.
func given(flags map[string]string, name string) *string {
	if value, ok := flags[name]; ok {
		return &value
	}
	return nil
}

// parse gives a command's name, with those of its flags in their order, and the flags' values.
func parse(line string) (operation string, flags map[string]string, err error) {
	words := strings.Fields(line)
	if len(words)%2 == 0 {
		return "", nil, fmt.Errorf("the command %q is not whole", line)
	}
	flags = map[string]string{}
	for i := 1; i < len(words); i += 2 {
		flags[words[i]] = words[i+1]
	}
	delete(flags, "--region")
	return strings.Join(append(words[:1:1], slices.Sorted(maps.Keys(flags))...), " "), flags, nil
}

// again rotates a secret, with the function that has rotated it before.
func (r *Rig) again(ctx context.Context, secret string) error {
	r.turn.Lock()
	defer r.turn.Unlock()
	r.begin()
	defer r.end()
	token := ""
	out, err := r.Client.RotateSecret(ctx, &secretsmanager.RotateSecretInput{SecretId: &secret})
	var pending *types.InvalidRequestException
	switch {
	case err == nil:
		token = aws.ToString(out.VersionId)
	case errors.As(err, &pending) && strings.HasSuffix(pending.ErrorMessage(), "That rotation will be reattempted."):
		labels, err := r.Labels(ctx, secret)
		if err != nil {
			return err
		}
		token = labels["AWSPENDING"]
	default:
		return err
	}
	return r.service.Wait(ctx, secret, token)
}
