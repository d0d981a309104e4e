// Package operate is what an operator does to one secret: it asks the secret's
// rotation function, or answers in its place, and decides what the one safe step is.
package operate

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// An Invoker calls functions: a [lambda.Client].
type Invoker interface {
	Invoke(ctx context.Context, in *lambda.InvokeInput, options ...func(*lambda.Options)) (*lambda.InvokeOutput, error)
}

// An Asker answers questions about a secret. Label is one more for [rotation.AskWhich]
// to try; it may be empty. An error is that nobody could tell.
type Asker interface {
	Ask(ctx context.Context, ask rotation.Ask, secretARN, label string) (rotation.Answer, error)
}

// A Function is an Asker: the function that rotates the secret, which is invoked. One
// that is not Rotor's does not know questions: that is an error.
type Function struct {
	Invoker Invoker
	ARN     string
}

// Ask implements Asker.
func (f Function) Ask(ctx context.Context, ask rotation.Ask, secretARN, label string) (a rotation.Answer, err error) {
	payload, err := json.Marshal(struct{ Rotor, SecretId, Label string }{string(ask), secretARN, label})
	if err != nil {
		return a, err
	}
	out, err := f.Invoker.Invoke(ctx, &lambda.InvokeInput{FunctionName: &f.ARN, Payload: payload})
	if err != nil {
		return a, err
	}
	if out.FunctionError != nil {
		return a, fmt.Errorf("the function %s did not answer (%s): it is not one of Rotor's, or an older one", f.ARN, aws.ToString(out.FunctionError))
	}
	if err := json.Unmarshal(out.Payload, &a); err != nil || a.Ask != ask {
		return a, fmt.Errorf("the function %s answered something else: it is not one of Rotor's, or an older one", f.ARN)
	}
	return a, nil
}
