package local_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/seed492efc12/rotor/local"
)

const functionARN = "arn:aws:lambda:us-east-1:123456789012:function:rotate"

// rotate starts a rotation to token(version).
func (s service) rotate(t *testing.T, id, version string) {
	t.Helper()
	must(s.RotateSecret(t.Context(), &secretsmanager.RotateSecretInput{SecretId: &id, ClientRequestToken: aws.String(token(version)),
		RotationLambdaARN: aws.String(functionARN), RotationRules: &types.RotationRulesType{AutomaticallyAfterDays: aws.Int64(10)}}))(t)
}

// rotator is a rotation function in process: it does what a function has to do, through the SDK.
type rotator struct {
	url string
	// hook, if set, is called at each step; its error is the function's.
	hook func(e event) error

	mu     sync.Mutex
	events []event
	arn    string
}

type event struct{ Step, SecretId, ClientRequestToken, RotationToken string }

func (r *rotator) Invoke(ctx context.Context, arn string, payload []byte) error {
	var e event
	if err := json.Unmarshal(payload, &e); err != nil {
		return err
	}
	r.mu.Lock()
	r.events, r.arn = append(r.events, e), arn
	r.mu.Unlock()
	if r.hook != nil {
		if err := r.hook(e); err != nil {
			return err
		}
	}
	api := client(r.url)
	switch e.Step {
	case "createSecret":
		_, err := api.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: &e.SecretId, ClientRequestToken: &e.ClientRequestToken,
			SecretString: aws.String("new"), VersionStages: []string{"AWSPENDING"}, RotationToken: &e.RotationToken})
		return err
	case "finishSecret":
		d, err := api.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &e.SecretId})
		if err != nil {
			return err
		}
		in := secretsmanager.UpdateSecretVersionStageInput{SecretId: &e.SecretId, VersionStage: aws.String("AWSCURRENT"), MoveToVersionId: &e.ClientRequestToken}
		for version, stages := range d.VersionIdsToStages {
			if strings.Contains(strings.Join(stages, ","), "AWSCURRENT") {
				in.RemoveFromVersionId = aws.String(version)
			}
		}
		_, err = api.UpdateSecretVersionStage(ctx, &in)
		return err
	}
	return nil
}

func (r *rotator) steps() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var steps []string
	for _, e := range r.events {
		steps = append(steps, strings.TrimSuffix(e.Step, "Secret"))
	}
	return strings.Join(steps, " ")
}

// serveRotator joins a service and a rotator.
func serveRotator(t *testing.T, o local.Options) (service, *rotator) {
	t.Helper()
	r := new(rotator)
	o.Invoke, o.Backoff = r, quick
	s := serve(t, o)
	r.url = s.url
	s.create(t, "n", "old")
	return s, r
}

func TestRotationRunsTheFourStepsAndEndsWithoutAWSPENDING(t *testing.T) {
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	var steps []local.Step
	var seen requests
	s, r := serveRotator(t, local.Options{Now: func() time.Time { return now }, OnRequest: seen.add,
		OnStep: func(step local.Step) { steps = append(steps, step) }})
	s.rotate(t, "n", "two")
	if err := s.Wait(t.Context(), "n", token("two")); err != nil {
		t.Fatal(err)
	}
	s.wantLabels(t, "n", "one=AWSPREVIOUS two=AWSCURRENT")
	if r.steps() != "create set test finish" || r.arn != functionARN {
		t.Errorf("%s ran %s", r.arn, r.steps())
	}
	d := s.describe(t, "n")
	for _, e := range r.events {
		if e.SecretId != *d.ARN || e.ClientRequestToken != token("two") || e.RotationToken != r.events[0].RotationToken ||
			!regexp.MustCompile(`^[a-zA-Z0-9-]{36,256}$`).MatchString(e.RotationToken) {
			t.Errorf("event %+v", e)
		}
	}
	if !*d.RotationEnabled || *d.RotationLambdaARN != functionARN || *d.RotationRules.AutomaticallyAfterDays != 10 ||
		!d.LastRotatedDate.Equal(now) || !d.NextRotationDate.Equal(time.Date(2030, 1, 12, 23, 59, 59, 0, time.UTC)) {
		t.Errorf("described as %+v", d)
	}
	wantSteps(t, steps)
	wantRotationTokenSeen(t, &seen)
}

func wantSteps(t *testing.T, steps []local.Step) {
	t.Helper()
	one, two := token("one"), token("two")
	started := local.Labels{"AWSCURRENT": one, "AWSPENDING": two}
	moved := local.Labels{"AWSCURRENT": two, "AWSPREVIOUS": one, "AWSPENDING": two}
	for i, want := range []struct {
		name          string
		before, after local.Labels
	}{
		{"createSecret", started, started}, {"setSecret", started, started}, {"testSecret", started, started}, {"finishSecret", started, moved},
	} {
		got := steps[i]
		if got.Name != want.name || fmt.Sprint(got.Before) != fmt.Sprint(want.before) || fmt.Sprint(got.After) != fmt.Sprint(want.after) ||
			got.Attempt != 1 || got.Err != nil || got.Duration <= 0 || got.Token != two {
			t.Errorf("step %d is %+v", i, got)
		}
	}
}

func wantRotationTokenSeen(t *testing.T, seen *requests) {
	t.Helper()
	for _, q := range seen.seen {
		if q.Operation == "PutSecretValue" && q.RotationToken {
			return
		}
	}
	t.Error("nobody saw that PutSecretValue carried the RotationToken")
}

func TestRotationStartsWithAnAWSPENDINGVersionThatHasNoValue(t *testing.T) {
	s, r := serveRotator(t, local.Options{Retries: -1})
	r.hook = func(e event) error {
		for _, in := range []secretsmanager.GetSecretValueInput{
			{SecretId: &e.SecretId, VersionStage: aws.String("AWSPENDING")},
			{SecretId: &e.SecretId, VersionStage: aws.String("AWSPENDING"), VersionId: &e.ClientRequestToken},
		} {
			_, err := s.GetSecretValue(t.Context(), &in)
			wantCode(t, err, "ResourceNotFoundException", "Secrets Manager can't find the specified secret value for staging label: AWSPENDING")
		}
		return errors.New("stop here")
	}
	s.rotate(t, "n", "two")
	if err := s.Wait(t.Context(), "n", token("two")); err == nil {
		t.Fatal("the rotation succeeded")
	}
	s.wantLabels(t, "n", "one=AWSCURRENT two=AWSPENDING")
}

func TestFailedRotationIsRetriedWholeWithTheSameTokens(t *testing.T) {
	var attempts []int
	s, r := serveRotator(t, local.Options{OnStep: func(step local.Step) { attempts = append(attempts, step.Attempt) }})
	failures := 2
	r.hook = func(e event) error {
		if e.Step == "setSecret" && failures > 0 {
			failures--
			return errors.New("not yet")
		}
		return nil
	}
	s.rotate(t, "n", "two")
	if err := s.Wait(t.Context(), "n", token("two")); err != nil {
		t.Fatal(err)
	}
	if want := "create set create set create set test finish"; r.steps() != want || fmt.Sprint(attempts) != "[1 1 2 2 3 3 3 3]" {
		t.Errorf("ran %q in attempts %v, want %q", r.steps(), attempts, want)
	}
	for _, e := range r.events {
		if e.ClientRequestToken != token("two") || e.RotationToken != r.events[0].RotationToken {
			t.Errorf("event %+v", e)
		}
	}
	s.wantLabels(t, "n", "one=AWSPREVIOUS two=AWSCURRENT")
}

func TestRotationThatAlwaysFailsLeavesAWSPENDINGAndIsReattempted(t *testing.T) {
	s, r := serveRotator(t, local.Options{Retries: 2})
	broken := &local.FunctionError{Type: "Rotation.Unreachable", Message: "no route"}
	fails := true
	r.hook = func(e event) error {
		if fails && e.Step == "testSecret" {
			return broken
		}
		return nil
	}
	s.rotate(t, "n", "two")
	err := s.Wait(t.Context(), "n", token("two"))
	var got *local.FunctionError
	if !errors.As(err, &got) || got.Type != "Rotation.Unreachable" || !strings.Contains(err.Error(), "testSecret") {
		t.Fatalf("the rotation ended with %v", err)
	}
	if want := strings.TrimSpace(strings.Repeat("create set test ", 3)); r.steps() != want {
		t.Errorf("ran %q, want %q", r.steps(), want)
	}
	s.wantLabels(t, "n", "one=AWSCURRENT two=AWSPENDING")
	if d := s.describe(t, "n"); d.LastRotatedDate != nil {
		t.Error("a failed rotation set LastRotatedDate")
	}

	fails = false
	_, err = s.RotateSecret(t.Context(), &secretsmanager.RotateSecretInput{SecretId: aws.String("n"), ClientRequestToken: aws.String(token("three"))})
	wantCode(t, err, "InvalidRequestException", "A previous rotation isn't complete. That rotation will be reattempted.")
	if err := s.Wait(t.Context(), "n", token("two")); err != nil {
		t.Fatal(err)
	}
	s.wantLabels(t, "n", "one=AWSPREVIOUS two=AWSCURRENT")
}

func TestRotationThatReportsSuccessWithoutMovingAWSCURRENTIsNotComplete(t *testing.T) {
	s := serve(t, local.Options{Retries: -1, Invoke: local.InvokerFunc(func(context.Context, string, []byte) error { return nil })})
	s.create(t, "n", "old")
	s.rotate(t, "n", "two")
	if err := s.Wait(t.Context(), "n", token("two")); err == nil {
		t.Error("the rotation succeeded")
	}
	s.wantLabels(t, "n", "one=AWSCURRENT two=AWSPENDING")
}

func TestRotateImmediatelyFalseRunsTestSecretOnlyAndRemovesItsVersion(t *testing.T) {
	for name, failure := range map[string]error{"success": nil, "failure": errors.New("no login")} {
		t.Run(name, func(t *testing.T) {
			var steps []local.Step
			s, r := serveRotator(t, local.Options{OnStep: func(step local.Step) { steps = append(steps, step) }})
			r.hook = func(event) error {
				current := must(s.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("n")}))(t)
				trial := must(s.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("n"), VersionStage: aws.String("AWSPENDING")}))(t)
				if *trial.SecretString != *current.SecretString || *trial.VersionId == *current.VersionId {
					t.Errorf("the trial's version has %q", *trial.SecretString)
				}
				return failure
			}
			must(s.RotateSecret(t.Context(), &secretsmanager.RotateSecretInput{SecretId: aws.String("n"), ClientRequestToken: aws.String(token("two")),
				RotationLambdaARN: aws.String(functionARN), RotateImmediately: aws.Bool(false)}))(t)
			if err := s.Wait(t.Context(), "n", token("two")); !errors.Is(err, failure) {
				t.Errorf("the trial ended with %v", err)
			}
			if r.steps() != "test" || steps[0].Before["AWSPENDING"] != token("two") {
				t.Errorf("ran %q with labels %v", r.steps(), steps[0].Before)
			}
			s.wantLabels(t, "n", "one=AWSCURRENT")
			_, err := s.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("n"), VersionId: aws.String(token("two"))})
			wantCode(t, err, "ResourceNotFoundException", "VersionId")
			if d := s.describe(t, "n"); !*d.RotationEnabled || d.LastRotatedDate != nil {
				t.Errorf("described as %+v", d)
			}
		})
	}
}

func TestOneRotationAtATimeAndTheSameTokenStartsNoSecond(t *testing.T) {
	s, r := serveRotator(t, local.Options{})
	entered, leave := make(chan struct{}), make(chan struct{})
	r.hook = func(e event) error {
		if e.Step == "setSecret" {
			close(entered)
			<-leave
		}
		return nil
	}
	s.rotate(t, "n", "two")
	<-entered
	_, err := s.RotateSecret(t.Context(), &secretsmanager.RotateSecretInput{SecretId: aws.String("n"), ClientRequestToken: aws.String(token("three"))})
	wantCode(t, err, "InvalidRequestException", "A previous rotation isn't complete.")
	s.rotate(t, "n", "two")
	close(leave)
	if err := s.Wait(t.Context(), "n", token("two")); err != nil {
		t.Fatal(err)
	}
	s.rotate(t, "n", "two") // It has succeeded: nothing to do.
	if r.steps() != "create set test finish" {
		t.Errorf("ran %q", r.steps())
	}
	r.hook = nil
	s.rotate(t, "n", "three")
	if err := s.Wait(t.Context(), "n", token("three")); err != nil {
		t.Fatal(err)
	}
	s.wantLabels(t, "n", "two=AWSPREVIOUS three=AWSCURRENT")
	_, err = s.RotateSecret(t.Context(), &secretsmanager.RotateSecretInput{SecretId: aws.String("n"), ClientRequestToken: aws.String(token("two"))})
	wantCode(t, err, "InvalidRequestException", "already in use")
}

func TestManyConcurrentRotateSecretsStartExactlyOne(t *testing.T) {
	s, r := serveRotator(t, local.Options{})
	leave := make(chan struct{})
	r.hook = func(event) error { <-leave; return nil }
	var group sync.WaitGroup
	results := make([]error, 8)
	for i := range results {
		group.Go(func() {
			_, results[i] = s.RotateSecret(t.Context(), &secretsmanager.RotateSecretInput{SecretId: aws.String("n"),
				ClientRequestToken: aws.String(token(fmt.Sprint("v", i))), RotationLambdaARN: aws.String(functionARN)})
		})
	}
	group.Wait()
	close(leave)
	winner := -1
	for i, err := range results {
		if err == nil && winner >= 0 {
			t.Fatal("two rotations were started")
		} else if err == nil {
			winner = i
		} else {
			wantCode(t, err, "InvalidRequestException", "A previous rotation isn't complete.")
		}
	}
	if err := s.Wait(t.Context(), "n", token(fmt.Sprint("v", winner))); err != nil || r.steps() != "create set test finish" {
		t.Errorf("ran %q: %v", r.steps(), err)
	}
}

func TestAWSPENDINGOnTheCurrentVersionDoesNotHinderARotation(t *testing.T) {
	s, _ := serveRotator(t, local.Options{})
	s.put(t, "n", "x", "v", "AWSCURRENT", "AWSPENDING")
	s.rotate(t, "n", "two")
	if err := s.Wait(t.Context(), "n", token("two")); err != nil {
		t.Fatal(err)
	}
	s.wantLabels(t, "n", "x=AWSPREVIOUS two=AWSCURRENT")
}

// invocableNone is an Invoker that Secrets Manager has no permission to use.
type invocableNone struct{ local.InvokerFunc }

func (invocableNone) Invocable(string) bool { return false }

func TestRotateSecretWithoutAUsableFunctionChangesNothing(t *testing.T) {
	for name, o := range map[string]local.Options{
		"no invoker": {}, "not invocable": {Invoke: invocableNone{}}, "unknown function": {Invoke: new(local.Functions)},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, o)
			s.create(t, "n", "v")
			_, err := s.RotateSecret(t.Context(), &secretsmanager.RotateSecretInput{SecretId: aws.String("n")})
			wantCode(t, err, "InvalidRequestException", "No Lambda rotation function ARN is associated with this secret.")
			_, err = s.RotateSecret(t.Context(), &secretsmanager.RotateSecretInput{SecretId: aws.String("n"), RotationLambdaARN: aws.String(functionARN)})
			wantCode(t, err, "AccessDeniedException", "Secrets Manager cannot invoke the specified Lambda function. Ensure that the "+
				"function policy grants access to the principal secretsmanager.amazonaws.com.")
			if d := s.describe(t, "n"); d.RotationEnabled != nil || d.RotationLambdaARN != nil || len(d.VersionIdsToStages) != 1 {
				t.Errorf("described as %+v", d)
			}
		})
	}
}

func TestCancelRotateSecretStopsAfterTheRunningStepAndKeepsTheFunction(t *testing.T) {
	s, r := serveRotator(t, local.Options{})
	entered, leave := make(chan struct{}), make(chan struct{})
	r.hook = func(event) error {
		close(entered)
		<-leave
		return nil
	}
	_, err := s.CancelRotateSecret(t.Context(), &secretsmanager.CancelRotateSecretInput{SecretId: aws.String("n")})
	wantCode(t, err, "InvalidRequestException", "No Lambda rotation function")
	s.rotate(t, "n", "two")
	<-entered
	out := must(s.CancelRotateSecret(t.Context(), &secretsmanager.CancelRotateSecretInput{SecretId: aws.String("n")}))(t)
	if *out.VersionId != token("two") {
		t.Errorf("canceled version %s", *out.VersionId)
	}
	close(leave)
	if err := s.Wait(t.Context(), "n", token("two")); !errors.Is(err, local.ErrCanceled) {
		t.Errorf("the rotation ended with %v", err)
	}
	if r.steps() != "create" {
		t.Errorf("ran %q", r.steps())
	}
	s.wantLabels(t, "n", "one=AWSCURRENT two=AWSPENDING")
	if d := s.describe(t, "n"); *d.RotationEnabled || *d.RotationLambdaARN != functionARN || d.NextRotationDate != nil {
		t.Errorf("described as %+v", d)
	}
	r.hook = nil
	must(s.RotateSecret(t.Context(), &secretsmanager.RotateSecretInput{SecretId: aws.String("n"), ClientRequestToken: aws.String(token("two"))}))(t)
	if err := s.Wait(t.Context(), "n", token("two")); err != nil || !*s.describe(t, "n").RotationEnabled {
		t.Errorf("the same token without an ARN did not resume the rotation: %v", err)
	}
}

func TestWrongRotationTokenIsRefusedAndTheRightOneAccepted(t *testing.T) {
	s, r := serveRotator(t, local.Options{})
	r.hook = func(e event) error {
		if e.Step != "createSecret" {
			return nil
		}
		_, err := s.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: &e.SecretId, ClientRequestToken: &e.ClientRequestToken,
			SecretString: aws.String("forged"), VersionStages: []string{"AWSPENDING"}, RotationToken: aws.String(strings.Repeat("0", 36))})
		wantCode(t, err, "InvalidRequestException", "RotationToken")
		return nil // The rotator goes on with the right one.
	}
	s.rotate(t, "n", "two")
	if err := s.Wait(t.Context(), "n", token("two")); err != nil {
		t.Error(err)
	}
}

func TestRefusedPutSecretValueLeavesThePendingVersionEmpty(t *testing.T) {
	s, r := serveRotator(t, local.Options{Retries: -1})
	r.hook = func(e event) error {
		if e.Step != "createSecret" {
			return nil
		}
		labels := strings.Split("abcdefghijklmnopqrst", "")
		_, err := s.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: &e.SecretId, ClientRequestToken: &e.ClientRequestToken,
			SecretString: aws.String("too many labels"), VersionStages: labels})
		wantCode(t, err, "LimitExceededException", "20")
		return nil // The rotator puts another value, which would be refused if the first had been kept.
	}
	s.rotate(t, "n", "two")
	if err := s.Wait(t.Context(), "n", token("two")); err != nil {
		t.Error(err)
	}
}

func TestRotationRulesAreCheckedStoredAndDated(t *testing.T) {
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	s, _ := serveRotator(t, local.Options{Now: func() time.Time { return now }})
	days := func(n int64) *int64 { return &n }
	for i, test := range []struct {
		rules types.RotationRulesType
		next  string // empty: none is shown
		bad   bool
	}{
		{types.RotationRulesType{AutomaticallyAfterDays: days(1)}, "2030-01-03T23:59:59Z", false},
		{types.RotationRulesType{AutomaticallyAfterDays: days(1000)}, "2032-09-28T23:59:59Z", false},
		{types.RotationRulesType{ScheduleExpression: aws.String("rate(10 days)"), Duration: aws.String("3h")}, "2030-01-12T23:59:59Z", false},
		{types.RotationRulesType{ScheduleExpression: aws.String("rate(4 hours)")}, "2030-01-02T07:04:05Z", false},
		{types.RotationRulesType{ScheduleExpression: aws.String("cron(0 8 1 * ? *)")}, "", false},
		{types.RotationRulesType{AutomaticallyAfterDays: days(1), ScheduleExpression: aws.String("rate(1 day)")}, "", true},
		{types.RotationRulesType{ScheduleExpression: aws.String("rate(3 hours)")}, "", true},
		{types.RotationRulesType{ScheduleExpression: aws.String("rate(1000 days)")}, "", true},
		{types.RotationRulesType{ScheduleExpression: aws.String("rate(10 weeks)")}, "", true},
		{types.RotationRulesType{ScheduleExpression: aws.String("rate(-1 days)")}, "", true},
		{types.RotationRulesType{ScheduleExpression: aws.String("cron(0 8 1 * ?)")}, "", true},
		{types.RotationRulesType{ScheduleExpression: aws.String("cron(nonsense a b c d e)")}, "", true},
		{types.RotationRulesType{AutomaticallyAfterDays: days(1), Duration: aws.String("25h")}, "", true},
	} {
		version := token(fmt.Sprint("v", i))
		_, err := s.RotateSecret(t.Context(), &secretsmanager.RotateSecretInput{SecretId: aws.String("n"), ClientRequestToken: &version,
			RotationLambdaARN: aws.String(functionARN), RotationRules: &test.rules})
		if test.bad {
			wantCode(t, err, "InvalidParameterException", "")
			continue
		}
		if err != nil || s.Wait(t.Context(), "n", version) != nil {
			t.Fatalf("rules %d: %v", i, err)
		}
		d, next := s.describe(t, "n"), ""
		if d.NextRotationDate != nil {
			next = d.NextRotationDate.Format(time.RFC3339)
		}
		if next != test.next || aws.ToString(d.RotationRules.ScheduleExpression) != aws.ToString(test.rules.ScheduleExpression) ||
			aws.ToString(d.RotationRules.Duration) != aws.ToString(test.rules.Duration) {
			t.Errorf("rules %d: next %q, shown %+v", i, next, d.RotationRules)
		}
	}
}

func TestRotationOfASecretWithoutAnyValueMakesItsFirst(t *testing.T) {
	s, _ := serveRotator(t, local.Options{})
	must(s.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("empty")}))(t)
	s.rotate(t, "empty", "two")
	if err := s.Wait(t.Context(), "empty", token("two")); err != nil {
		t.Fatal(err)
	}
	s.wantLabels(t, "empty", "two=AWSCURRENT")
}

func TestDeletingASecretStopsItsRotation(t *testing.T) {
	s, r := serveRotator(t, local.Options{})
	r.hook = func(e event) error {
		s.delete(t, "n")
		return errors.New("fails for ever")
	}
	s.rotate(t, "n", "two")
	if err := s.Wait(t.Context(), "n", token("two")); !errors.Is(err, local.ErrCanceled) || r.steps() != "create" {
		t.Errorf("ran %q: %v", r.steps(), err)
	}
}

func TestCloseStopsRotationsAndRefusesNewOnes(t *testing.T) {
	stand := local.NewSecretsManager(local.Options{
		Backoff: func(int) time.Duration { return time.Hour },
		Invoke: local.InvokerFunc(func(ctx context.Context, _ string, _ []byte) error {
			<-ctx.Done()
			return ctx.Err()
		}),
	})
	server := must(stand.Serve())(t)
	s := service{SecretsManager: stand, Client: client(server.URL), url: server.URL}
	s.create(t, "n", "v")
	s.rotate(t, "n", "two")
	stand.Close()
	if err := s.Wait(t.Context(), "n", token("two")); !errors.Is(err, local.ErrCanceled) {
		t.Errorf("the rotation ended with %v", err)
	}
	_, err := s.RotateSecret(t.Context(), &secretsmanager.RotateSecretInput{SecretId: aws.String("n"), ClientRequestToken: aws.String(token("two"))})
	wantCode(t, err, "InternalServiceError", "closed")
	if err := errors.Join(server.Close(), server.Close()); err != nil {
		t.Error(err)
	}
}

func TestWaitEndsWithItsContextAndKnowsOnlyRealRotations(t *testing.T) {
	s, r := serveRotator(t, local.Options{})
	leave := make(chan struct{})
	r.hook = func(event) error { <-leave; return nil }
	defer close(leave)
	wantNotFound := func(id, version string) {
		t.Helper()
		if err := s.Wait(t.Context(), id, version); err == nil || !strings.Contains(err.Error(), "ResourceNotFoundException") {
			t.Errorf("got %v", err)
		}
	}
	wantNotFound("absent", token("two"))
	wantNotFound("n", token("one"))
	s.rotate(t, "n", "two")
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := s.Wait(ctx, "n", token("two")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func rotateInput(id, version, arn string) *secretsmanager.RotateSecretInput {
	return &secretsmanager.RotateSecretInput{SecretId: &id, ClientRequestToken: aws.String(token(version)), RotationLambdaARN: &arn}
}
