package local_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/seed492efc12/rotor/local"
)

// account is a stand-in whose Lambda has those functions, with both of the real SDK's clients at one address.
type account struct {
	service
	*lambda.Client
}

func serveFunctions(t *testing.T, functions ...*local.Function) account {
	t.Helper()
	all := new(local.Functions)
	for _, f := range functions {
		all.Add(f)
	}
	s := serve(t, local.Options{Invoke: all, Retries: -1})
	return account{s, lambda.New(lambda.Options{
		Region:       "us-east-1",
		BaseEndpoint: &s.url,
		Retryer:      aws.NopRetryer{},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "any", SecretAccessKey: "any"}, nil
		}),
	})}
}

// call invokes with an event that is a JSON text.
func (a account) call(t *testing.T, function, event string) *lambda.InvokeOutput {
	t.Helper()
	return must(a.Client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &function, Payload: must(json.Marshal(event))(t)}))(t)
}

// named configures this test binary as a function of that name.
func named(t *testing.T, name string) local.FunctionConfig {
	t.Helper()
	c := bootstrap(t, "serve")
	c.Name = name
	return c
}

func TestInvokeAnswersWhatTheFunctionAnswers(t *testing.T) {
	c := named(t, "rotate")
	c.Aliases = []string{"live"}
	f := start(t, c)
	a := serveFunctions(t, f)
	const account = "123456789012:function:"
	for name, in := range map[string]struct {
		lambda.InvokeInput
		arn string
	}{
		"name":             {lambda.InvokeInput{FunctionName: aws.String("rotate")}, f.ARN()},
		"ARN":              {lambda.InvokeInput{FunctionName: aws.String(f.ARN())}, f.ARN()},
		"partial ARN":      {lambda.InvokeInput{FunctionName: aws.String(account + "rotate")}, f.ARN()},
		"alias in ARN":     {lambda.InvokeInput{FunctionName: aws.String(f.ARN() + ":live")}, f.ARN() + ":live"},
		"alias in name":    {lambda.InvokeInput{FunctionName: aws.String("rotate:live")}, f.ARN() + ":live"},
		"qualifier":        {lambda.InvokeInput{FunctionName: aws.String("rotate"), Qualifier: aws.String("$LATEST")}, f.ARN() + ":$LATEST"},
		"qualifier, twice": {lambda.InvokeInput{FunctionName: aws.String("rotate:live"), Qualifier: aws.String("live")}, f.ARN() + ":live"},
	} {
		t.Run(name, func(t *testing.T) {
			in.Payload = []byte(`"facts"`)
			out := must(a.Client.Invoke(t.Context(), &in.InvokeInput))(t)
			var facts struct{ Headers map[string][]string }
			if err := json.Unmarshal(out.Payload, &facts); err != nil {
				t.Fatal(err)
			}
			if got := facts.Headers["Lambda-Runtime-Invoked-Function-Arn"]; !slices.Equal(got, []string{in.arn}) {
				t.Errorf("invoked as %q, want %s", got, in.arn)
			}
			id, _ := middleware.GetRequestIDMetadata(out.ResultMetadata)
			if got := facts.Headers["Lambda-Runtime-Aws-Request-Id"]; len(id) != 36 || !slices.Equal(got, []string{id}) {
				t.Errorf("the function was told the request id %q, the caller %q", got, id)
			}
			if out.StatusCode != 200 || out.FunctionError != nil || aws.ToString(out.ExecutedVersion) != "$LATEST" {
				t.Errorf("got %d, %v, %v", out.StatusCode, aws.ToString(out.FunctionError), aws.ToString(out.ExecutedVersion))
			}
		})
	}
	for _, payload := range []string{`{"a": 1, "ü": [null]}`, `"` + strings.Repeat("x", 6<<20-2) + `"`} {
		out := must(a.Client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("rotate"), Payload: []byte(payload)}))(t)
		if string(out.Payload) != payload {
			t.Errorf("%d bytes came back as %d", len(payload), len(out.Payload))
		}
	}
	if out := must(a.Client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("rotate")}))(t); string(out.Payload) != "{}" {
		t.Errorf("without an event the function got %q", out.Payload)
	}
}

func TestInvokeTellsAFunctionsErrorBesideStatus200(t *testing.T) {
	c := named(t, "rotate")
	c.Timeout = 300 * time.Millisecond
	a := serveFunctions(t, start(t, c), local.DeclareFunction(local.FunctionConfig{Name: "declared"}))
	for _, test := range []struct{ function, event, want string }{
		{"rotate", `error {"errorMessage":"no route","errorType":"Rotation.Unreachable"}`, `{"errorMessage":"no route","errorType":"Rotation.Unreachable"}`},
		{"rotate", "error no JSON", `{"errorType":"Header.Type","errorMessage":"no JSON"}`},
		{"rotate", "panic", `{"errorMessage":"boom","errorType":"string","stackTrace":[{"line":7}]}`},
		{"rotate", "exit", `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime exited with error: exit status 5"}`},
		{"rotate", "hang", `{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: ID Error: Task timed out after 0.30 seconds"}`},
		{"rotate", "large", `{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size exceeded maximum allowed payload size (6291456 bytes)."}`},
		{"declared", "x", `{"errorType":"Runtime.InvalidEntrypoint","errorMessage":"the function is declared, and has no bootstrap"}`},
	} {
		out := a.call(t, test.function, test.event)
		id, _ := middleware.GetRequestIDMetadata(out.ResultMetadata)
		if want := strings.Replace(test.want, "ID", id, 1); string(out.Payload) != want {
			t.Errorf("%s: got %s, want %s", test.event, out.Payload, want)
		}
		if out.StatusCode != 200 || aws.ToString(out.FunctionError) != "Unhandled" {
			t.Errorf("%s: got %d, %q", test.event, out.StatusCode, aws.ToString(out.FunctionError))
		}
	}
	if out := a.call(t, "rotate", "hello"); string(out.Payload) != `"hello"` || out.FunctionError != nil {
		t.Errorf("after all that, got %q", out.Payload)
	}
}

func TestInvokeRefusesWithLambdasCodes(t *testing.T) {
	f := start(t, named(t, "rotate"))
	elsewhere := local.DeclareFunction(local.FunctionConfig{Name: "two", Region: "eu-west-1"})
	a := serveFunctions(t, f, elsewhere, local.DeclareFunction(local.FunctionConfig{Name: "two"}))
	large := func(n int) []byte { return []byte(`"` + strings.Repeat("x", n-1) + `"`) }
	for _, test := range []struct {
		in         lambda.InvokeInput
		code, text string
	}{
		{lambda.InvokeInput{FunctionName: aws.String("none")}, "ResourceNotFoundException", "Function not found: arn:aws:lambda:us-east-1:123456789012:function:none"},
		{lambda.InvokeInput{FunctionName: aws.String(f.ARN() + ":live")}, "ResourceNotFoundException", "Function not found: " + f.ARN() + ":live"},
		{lambda.InvokeInput{FunctionName: aws.String("rotate"), Qualifier: aws.String("7")}, "ResourceNotFoundException", f.ARN() + ":7"},
		{lambda.InvokeInput{FunctionName: aws.String("rotate:live"), Qualifier: aws.String("7")}, "InvalidParameterValueException", "does not match the specified qualifier"},
		{lambda.InvokeInput{FunctionName: aws.String("no name")}, "ValidationException", "functionName"},
		{lambda.InvokeInput{FunctionName: aws.String("two")}, "InvalidParameterValueException", "Several functions have the name two"},
		{lambda.InvokeInput{FunctionName: aws.String("rotate"), InvocationType: "Later"}, "ValidationException", "'invocationType'"},
		{lambda.InvokeInput{FunctionName: aws.String("rotate"), LogType: "Tail"}, "InvalidParameterValueException", "X-Amz-Log-Type"},
		{lambda.InvokeInput{FunctionName: aws.String("rotate"), Payload: []byte("hello")}, "InvalidRequestContentException", "Could not parse request body into json"},
		{lambda.InvokeInput{FunctionName: aws.String("rotate"), Payload: []byte("\"\xff\"")}, "InvalidRequestContentException", "Could not parse request body into json"},
		{lambda.InvokeInput{FunctionName: aws.String("rotate"), Payload: large(6 << 20)}, "RequestEntityTooLargeException", "smaller than 6291456 bytes"},
		{lambda.InvokeInput{FunctionName: aws.String("rotate"), Payload: large(1 << 20), InvocationType: "Event"}, "RequestEntityTooLargeException",
			"1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)"},
	} {
		_, err := a.Client.Invoke(t.Context(), &test.in)
		wantCode(t, err, test.code, test.text)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	_, err := a.Client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("rotate")})
	wantCode(t, err, "ServiceException", "the function is closed")
	var notFound *types.ResourceNotFoundException
	_, err = a.Client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("none")})
	if !errors.As(err, &notFound) || aws.ToString(notFound.Type) != "User" {
		t.Errorf("got %v", err)
	}
}

// lines gets what a function writes.
type lines chan string

func (l lines) Write(b []byte) (int, error) {
	l <- string(b)
	return len(b), nil
}

func TestAnEventRunsOnceAndADryRunNever(t *testing.T) {
	log := make(lines, 100)
	c := named(t, "rotate")
	c.Log = log
	f := start(t, c)
	a := serveFunctions(t, f)
	for kind, status := range map[types.InvocationType]int32{"Event": 202, "DryRun": 204} {
		out := must(a.Client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("rotate"), InvocationType: kind}))(t)
		if out.StatusCode != status || len(out.Payload) != 0 {
			t.Errorf("%s: got %d, %q", kind, out.StatusCode, out.Payload)
		}
	}
	text := <-log // It has begun, and the next one waits for its turn.
	a.call(t, "rotate", "error done")
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	close(log)
	for more := range log {
		text += more
	}
	if got := strings.Count(text, "echo on stdout"); got != 1 {
		t.Errorf("the function ran %d times, want once", got)
	}
}

func TestAnInvocationOutlivesItsCaller(t *testing.T) {
	f := start(t, named(t, "rotate"))
	a := serveFunctions(t, f)
	ctx, leave := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer leave()
	if _, err := a.Client.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("rotate"), Payload: []byte(`"sleep"`)}); err == nil {
		t.Fatal("the caller did not leave")
	}
	if out := a.call(t, "rotate", "hello"); string(out.Payload) != `"hello"` || f.Facts().Starts != 1 {
		t.Errorf("got %q after %d starts: the invocation was cut off", out.Payload, f.Facts().Starts)
	}
}

func TestInvocationsAtOnceEachGetTheirOwnAnswer(t *testing.T) {
	a := serveFunctions(t, start(t, named(t, "rotate")))
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			want := fmt.Sprintf(`{"event":%d}`, i)
			out, err := a.Client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("rotate"), Payload: []byte(want)})
			if err != nil || string(out.Payload) != want {
				t.Errorf("got %v, %v", out, err)
			}
		})
	}
	group.Wait()
}

func TestListFunctionsPagesThroughEveryFunctionOnce(t *testing.T) {
	var all []*local.Function
	var want []string
	for i := range 60 {
		want = append(want, fmt.Sprintf("f%02d", i))
		all = append(all, local.DeclareFunction(local.FunctionConfig{Name: want[i]}))
	}
	a := serveFunctions(t, all...)
	for most, pages := range map[int32]int{0: 2, 50: 2, 10000: 2, 7: 9, 60: 2} {
		in := &lambda.ListFunctionsInput{}
		if most > 0 {
			in.MaxItems = &most
		}
		var got []string
		n := 0
		for p := lambda.NewListFunctionsPaginator(a.Client, in); p.HasMorePages(); n++ {
			for _, f := range must(p.NextPage(t.Context()))(t).Functions {
				got = append(got, *f.FunctionName)
			}
		}
		if n != pages || !slices.Equal(got, want) {
			t.Errorf("MaxItems %d: %d pages, %q", most, n, got)
		}
	}
	for _, test := range []struct {
		in         lambda.ListFunctionsInput
		code, text string
	}{
		{lambda.ListFunctionsInput{MaxItems: aws.Int32(0)}, "ValidationException", "'maxItems'"},
		{lambda.ListFunctionsInput{MaxItems: aws.Int32(10001)}, "ValidationException", "'maxItems'"},
		{lambda.ListFunctionsInput{Marker: aws.String("!")}, "InvalidParameterValueException", "Marker"},
		{lambda.ListFunctionsInput{FunctionVersion: "ALL"}, "InvalidParameterValueException", "FunctionVersion"},
	} {
		_, err := a.ListFunctions(t.Context(), &test.in)
		wantCode(t, err, test.code, test.text)
	}
	if out := must(serveFunctions(t).ListFunctions(t.Context(), &lambda.ListFunctionsInput{}))(t); len(out.Functions) != 0 || out.NextMarker != nil {
		t.Errorf("without functions, got %+v", out)
	}
}

func TestFunctionsAreDescribed(t *testing.T) {
	c := named(t, "rotate")
	c.Description, c.Region, c.Account, c.MemoryMB, c.Timeout, c.Aliases = "Rotates", "eu-west-1", "111122223333", 256, 1500*time.Millisecond, []string{"live"}
	before := time.Now()
	f := start(t, c)
	theirs := local.DeclareFunction(local.FunctionConfig{Name: "SecretsManagerRotation", Runtime: "python3.9", Description: "Another's"})
	a := serveFunctions(t, f, theirs)
	got := *must(a.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: aws.String("rotate")}))(t).Configuration
	modified, err := time.Parse("2006-01-02T15:04:05.999-0700", *got.LastModified)
	if err != nil || modified.Before(before.Truncate(time.Millisecond)) || modified.After(time.Now()) {
		t.Errorf("LastModified is %s, %v", *got.LastModified, err)
	}
	architecture := types.ArchitectureX8664
	if runtime.GOARCH == "arm64" {
		architecture = types.ArchitectureArm64
	}
	if *got.FunctionArn != f.ARN() || got.Runtime != types.RuntimeProvidedal2023 || *got.Description != "Rotates" || *got.MemorySize != 256 ||
		*got.Timeout != 2 || *got.Version != "$LATEST" || *got.Handler != "bootstrap" || !slices.Equal(got.Architectures, []types.Architecture{architecture}) ||
		*got.LoggingConfig.LogGroup != "/aws/lambda/rotate" || got.LoggingConfig.LogFormat != types.LogFormatJson ||
		got.Environment.Variables[bootstrapMode] != "serve" || got.State != types.StateActive || got.PackageType != types.PackageTypeZip {
		t.Errorf("got %+v", got)
	}
	live := must(a.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("rotate"), Qualifier: aws.String("live")}))(t)
	if *live.FunctionArn != f.ARN()+":live" || *live.Version != "$LATEST" || *live.FunctionName != "rotate" {
		t.Errorf("by its alias, got %s %s", *live.FunctionArn, *live.Version)
	}
	if err := lambda.NewFunctionActiveV2Waiter(a.Client).Wait(t.Context(), &lambda.GetFunctionInput{FunctionName: aws.String("rotate")}, time.Minute); err != nil {
		t.Error(err)
	}
	list := must(a.ListFunctions(t.Context(), &lambda.ListFunctionsInput{}))(t).Functions
	if len(list) != 2 || *list[0].FunctionName != "rotate" || list[0].State != "" || list[1].Runtime != "python3.9" ||
		*list[1].Description != "Another's" || list[1].Environment != nil || list[1].Handler != nil {
		t.Errorf("got %+v", list)
	}
	_, err = a.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: aws.String("none")})
	wantCode(t, err, "ResourceNotFoundException", "Function not found")
	_, err = a.DeleteFunction(t.Context(), &lambda.DeleteFunctionInput{FunctionName: aws.String("rotate")})
	wantCode(t, err, "UnknownOperationException", "")
}

func TestSecretsManagerInvokesByAliasAndKnowsDeclaredFunctions(t *testing.T) {
	c := named(t, "rotate")
	c.Aliases = []string{"live"}
	f := start(t, c)
	theirs := local.DeclareFunction(local.FunctionConfig{Name: "theirs", Runtime: "python3.9"})
	a := serveFunctions(t, f, theirs)
	a.create(t, "n", "v")
	must(a.RotateSecret(t.Context(), rotateInput("n", "two", f.ARN()+":live")))(t)
	if err := a.Wait(t.Context(), "n", token("two")); err == nil || !strings.Contains(err.Error(), "AWSCURRENT") {
		t.Errorf("got %v, want all steps done and nothing changed", err)
	}
	a.create(t, "m", "v")
	must(a.RotateSecret(t.Context(), rotateInput("m", "two", theirs.ARN())))(t)
	wantFunctionError(t, a.Wait(t.Context(), "m", token("two")), "Runtime.InvalidEntrypoint", "declared")
	if got := aws.ToString(a.describe(t, "m").RotationLambdaARN); got != theirs.ARN() {
		t.Errorf("the secret is rotated by %q", got)
	}
	for _, bad := range []string{"rotate", f.ARN() + ":none", "123456789012:function:rotate"} {
		a.create(t, "x"+bad[:3]+bad[len(bad)-3:], "v")
		in := rotateInput("x"+bad[:3]+bad[len(bad)-3:], "two", bad)
		if _, err := a.RotateSecret(t.Context(), in); err == nil {
			t.Errorf("the function %s was accepted", bad)
		}
	}
}

func TestRequestsOfTwoServicesAreToldApart(t *testing.T) {
	a := serveFunctions(t, start(t, named(t, "rotate")))
	must(a.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("n"), SecretString: aws.String("v")}))(t)
	if out := a.call(t, "rotate", "hello"); string(out.Payload) != `"hello"` {
		t.Errorf("got %q", out.Payload)
	}
	r := send(t, a.url+"/2015-03-31/functions/rotate/invocations", "secretsmanager.ListSecrets", "application/x-amz-json-1.1", "{}")
	if r.status != http.StatusBadRequest || r.body["__type"] != "UnknownOperationException" {
		t.Errorf("with X-Amz-Target, a path of Lambda's was answered %d %s", r.status, r.text)
	}
	alone := serve(t, local.Options{})
	other := send(t, alone.url+"/2015-03-31/functions/rotate/invocations", "", "application/json", "{}")
	if other.body["__type"] != "UnknownOperationException" {
		t.Errorf("without functions, Lambda answered %s", other.text)
	}
}

func TestRestartFailsWhatIsInProgressAndNothingElse(t *testing.T) {
	log := make(lines, 100)
	c := named(t, "rotate")
	c.Log = log
	f := start(t, c)
	ended := make(chan error)
	go func() {
		_, err := f.Invoke(t.Context(), []byte("hang"))
		ended <- err
	}()
	<-log // It has begun.
	if err := f.Restart(); err != nil {
		t.Fatal(err)
	}
	wantFunctionError(t, <-ended, "Runtime.ExitError", "signal: killed")
	if got := string(must(f.Invoke(t.Context(), []byte("hello")))(t)); got != "hello" || f.Facts().Starts != 2 {
		t.Errorf("got %q after %d starts", got, f.Facts().Starts)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if err := f.Restart(); err == nil {
		t.Error("a closed function was started")
	}
}
