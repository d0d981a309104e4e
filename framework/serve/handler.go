package serve

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"

	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// A handler answers invocations. It is the outermost boundary: the Lambda
// runtime logs whatever error or panic passes it, so that only a
// *rotation.Error, which carries no secret, may.
type handler struct {
	handle func(ctx context.Context, payload []byte) error
	ask    func(ctx context.Context, q rotation.Question) rotation.Answer
	log    *slog.Logger
}

// Invoke implements lambda.Handler.
func (h handler) Invoke(ctx context.Context, payload []byte) (out []byte, err error) {
	defer func() {
		if recover() != nil { // the engine recovers, so this is a defect of the engine
			out, err = nil, h.untold(rotation.Panic, "the engine failed")
		}
	}()
	if q, ok := rotation.ParseQuestion(payload); ok {
		if lc, ok := lambdacontext.FromContext(ctx); ok {
			q.Function = lc.InvokedFunctionArn
		}
		return json.Marshal(h.ask(ctx, q))
	}
	err = h.handle(ctx, payload)
	if err == nil {
		return []byte("null"), nil
	}
	var e *rotation.Error
	if !errors.As(err, &e) {
		return nil, h.untold(rotation.Unknown, "an error without a class")
	}
	return nil, answer(e.Class, e.Error())
}

// untold tells and answers what the engine has not told.
func (h handler) untold(c rotation.Class, cause string) error {
	h.log.Error("step failed", "class", c, "cause", cause, "remedy", rotation.Panic.Remedy())
	return answer(c, cause+". "+rotation.Panic.Remedy())
}

// answer is an error whose type, for alarms, is the class.
func answer(c rotation.Class, message string) error {
	return messages.InvokeResponse_Error{Type: string(c), Message: message}
}
