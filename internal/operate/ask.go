// Package operate is what an operator does to one secret: it asks the secret's
// rotation function, and decides what the one safe step is. It reads no value but
// where two have to be merged.
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

// Ask puts a question about a secret to the function that rotates it. A function
// that is not Rotor's does not know questions: that is an error.
func Ask(ctx context.Context, i Invoker, function string, ask rotation.Ask, secretARN, label string) (a rotation.Answer, err error) {
	payload, err := json.Marshal(struct{ Rotor, SecretId, Label string }{string(ask), secretARN, label})
	if err != nil {
		return a, err
	}
	out, err := i.Invoke(ctx, &lambda.InvokeInput{FunctionName: &function, Payload: payload})
	if err != nil {
		return a, err
	}
	if out.FunctionError != nil {
		return a, fmt.Errorf("the function %s did not answer (%s): it is not one of Rotor's, or an older one", function, aws.ToString(out.FunctionError))
	}
	if err := json.Unmarshal(out.Payload, &a); err != nil || a.Ask != ask {
		return a, fmt.Errorf("the function %s answered something else: it is not one of Rotor's, or an older one", function)
	}
	return a, nil
}
