package main_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/local"
	"github.com/seed492efc12/rotor/local/rig"
	"github.com/seed492efc12/rotor/rotators/postgres/postgrestest"
)

// lambda is a client of the rig's Lambda, which takes any credentials.
func (w *world) lambda() *lambda.Client {
	o := w.Client.Options()
	return lambda.New(lambda.Options{Region: o.Region, BaseEndpoint: o.BaseEndpoint, Retryer: o.Retryer, Credentials: o.Credentials})
}

// invoke invokes the function as an operator does, by the Lambda API.
func (w *world) invoke(t *testing.T, f *rig.Function, event string) *lambda.InvokeOutput {
	t.Helper()
	out := must(w.lambda().Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String(f.ARN()), Payload: []byte(event)}))(t)
	w.wantNothingSensitive(t, string(out.Payload))
	return out
}

func (w *world) ask(t *testing.T, f *rig.Function, ask rotation.Ask, arn string) (a rotation.Answer) {
	t.Helper()
	out := w.invoke(t, f, document{"Rotor": ask, "SecretId": arn}.String())
	if err := json.Unmarshal(out.Payload, &a); err != nil || out.FunctionError != nil || a.Ask != ask || a.SecretID != arn {
		t.Fatalf("%s was answered %s, %v", ask, out.Payload, err)
	}
	return a
}

func TestAnOperatorAsksTheFunctionThroughLambda(t *testing.T) {
	w := newWorld(t, build(t), postgrestest.Newest(t), local.Options{})
	f := w.start(t)
	app := w.role(t, "app", firstPassword)
	arn := w.secret(t, "app", w.document(app, firstPassword))
	must(w.Rotate(t.Context(), arn, f))(t)
	before := w.state(t, arn)

	plan := w.ask(t, f, rotation.AskPlan, arn)
	if plan.Failure != nil || plan.Plan == nil || len(plan.Plan.Statements) != 1 || !strings.HasPrefix(plan.Plan.Statements[0], "ALTER ROLE "+quote(app)) {
		t.Errorf("the plan is %+v, %+v", plan.Plan, plan.Failure)
	}
	which := w.ask(t, f, rotation.AskWhich, arn)
	if len(which.Labels) != 2 || !which.Labels[0].Works || which.Labels[0].Name != "AWSCURRENT" || which.Labels[1].Works || which.Labels[1].User != app {
		t.Errorf("the labels are %+v, %+v", which.Labels, which.Failure)
	}
	unknown := w.ask(t, f, rotation.AskPlan, arn+"x")
	if unknown.Failure == nil || unknown.Failure.Class != rotation.BadSecret {
		t.Errorf("of a secret that does not exist, the plan is %+v", unknown)
	}
	w.wantUnwritten(t, before)

	out := w.invoke(t, f, event("dropSecret", arn, before.labels["AWSCURRENT"]))
	var failure struct{ ErrorType, ErrorMessage string }
	if err := json.Unmarshal(out.Payload, &failure); err != nil || aws.ToString(out.FunctionError) != "Unhandled" ||
		failure.ErrorType != "Rotation.BadEvent" || !strings.Contains(failure.ErrorMessage, `"dropSecret"`) {
		t.Errorf("an event with an unknown step was answered %s", out.Payload)
	}
}

func TestQuestionsAtOnceAreAllAnswered(t *testing.T) {
	w := newWorld(t, build(t), postgrestest.Newest(t), local.Options{})
	f := w.start(t)
	arn := w.secret(t, "app", w.document(w.role(t, "app", firstPassword), firstPassword))
	must(w.Rotate(t.Context(), arn, f))(t)
	var group sync.WaitGroup
	for i := range 8 {
		ask := []rotation.Ask{rotation.AskPlan, rotation.AskWhich}[i%2]
		group.Go(func() {
			event := document{"Rotor": ask, "SecretId": arn}.String()
			out, err := w.lambda().Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String(f.ARN()), Payload: []byte(event)})
			var a rotation.Answer
			if err != nil || json.Unmarshal(out.Payload, &a) != nil || a.Ask != ask || a.Failure != nil || (a.Plan == nil) == (a.Labels == nil) {
				t.Errorf("%s was answered %+v, %v", ask, out, err)
			}
		})
	}
	group.Wait()
}
