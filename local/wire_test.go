package local_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/seed492efc12/rotor/local"
)

func TestErrorsHaveTheWireFormOfAWSJSON(t *testing.T) {
	s := serve(t, local.Options{})
	const json = "application/x-amz-json-1.1"
	for name, test := range map[string]struct {
		target, contentType, body string
		status                    int
		code                      string
	}{
		"service error":     {"secretsmanager.DescribeSecret", json, `{"SecretId": "n"}`, 400, "ResourceNotFoundException"},
		"no SecretId":       {"secretsmanager.DescribeSecret", json, ``, 400, "ValidationException"},
		"unknown operation": {"secretsmanager.Nothing", json, `{}`, 400, "UnknownOperationException"},
		"other service":     {"DynamoDB_20120810.ListTables", json, `{}`, 400, "UnknownOperationException"},
		"no prefix":         {"ListSecrets", json, `{}`, 400, "UnknownOperationException"},
		"other protocol":    {"secretsmanager.ListSecrets", "application/json", `{}`, 400, "UnknownOperationException"},
		"no JSON":           {"secretsmanager.ListSecrets", json, `{"hunter2`, 400, "SerializationException"},
		"no object":         {"secretsmanager.ListSecrets", json, `["hunter2"]`, 400, "SerializationException"},
		"wrong type":        {"secretsmanager.PutSecretValue", json, `{"SecretString": 1}`, 400, "SerializationException"},
		"bad base64":        {"secretsmanager.PutSecretValue", json, `{"SecretBinary": "hunter2"}`, 400, "SerializationException"},
		"no UTF-8":          {"secretsmanager.PutSecretValue", json, "{\"SecretString\": \"hunter2\xff\"}", 400, "SerializationException"},
		"too long":          {"secretsmanager.PutSecretValue", json, strings.Repeat(" ", 1<<20+1), 413, "RequestEntityTooLargeException"},
	} {
		t.Run(name, func(t *testing.T) {
			got := send(t, s.url, test.target, test.contentType, test.body)
			if got.status != test.status || got.body["__type"] != test.code || got.header.Get("X-Amzn-Errortype") != test.code {
				t.Errorf("got %d %v %s", got.status, got.header, got.text)
			}
			if got.header.Get("Content-Type") != json || len(got.header.Get("X-Amzn-Requestid")) != 36 {
				t.Errorf("headers are %v", got.header)
			}
			if strings.Contains(got.text, "hunter2") {
				t.Errorf("the reply quotes the request: %s", got.text)
			}
		})
	}
}

func TestTimestampsAreEpochSecondsWithAFraction(t *testing.T) {
	now := time.UnixMilli(1523477145713)
	s := serve(t, local.Options{Now: func() time.Time { return now }})
	s.create(t, "n", "v")
	got := post(t, s.url, "DescribeSecret", `{"SecretId": "n"}`)
	if !strings.Contains(got.text, `"CreatedDate":1523477145.713`) {
		t.Errorf("got %s", got.text)
	}
	s.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("n")})
	if got := *s.describe(t, "n").LastAccessedDate; !got.Equal(now.Truncate(24 * time.Hour)) {
		t.Errorf("last accessed %v, want the day alone", got)
	}
}

// log collects requests. It may be used from several goroutines.
type requests struct {
	mu   sync.Mutex
	seen []local.Request
}

func (r *requests) add(q local.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = append(r.seen, q)
}

func (r *requests) last(t *testing.T) local.Request {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.seen) == 0 {
		t.Fatal("no request was seen")
	}
	return r.seen[len(r.seen)-1]
}

func TestEveryRequestIsObservedBeforeItsReplyArrives(t *testing.T) {
	var seen requests
	s := serve(t, local.Options{OnRequest: seen.add})
	s.create(t, "n", "v")
	if q := seen.last(t); q.Operation != "CreateSecret" || q.SecretID != "n" || q.VersionID != token("one") || q.ErrorCode != "" || q.Concurrent != 1 {
		t.Errorf("saw %+v", q)
	}
	first := seen.last(t).Connection
	_, _ = s.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("n"), VersionStage: aws.String("AWSPENDING")})
	q := seen.last(t)
	if q.VersionStage != "AWSPENDING" || q.ErrorCode != "ResourceNotFoundException" || q.Start.IsZero() || q.Duration <= 0 {
		t.Errorf("saw %+v", q)
	}
	// net/http drops a connection where the reply overtakes the request: that happens, and not each time.
	for range 20 {
		if q.Connection == first {
			break
		}
		first = q.Connection
		_, _ = s.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("n")})
		q = seen.last(t)
	}
	if q.Connection != first {
		t.Errorf("one client's requests came over %q and %q", first, q.Connection)
	}
	s.put(t, "n", "two", "v", "a", "b")
	if q := seen.last(t); q.VersionStage != "a,b" || q.RotationToken {
		t.Errorf("saw %+v", q)
	}
	fresh := &http.Client{Transport: &http.Transport{}}
	defer fresh.CloseIdleConnections()
	other := client(s.url)
	_, _ = other.ListSecrets(t.Context(), &secretsmanager.ListSecretsInput{}, func(o *secretsmanager.Options) { o.HTTPClient = fresh })
	if q := seen.last(t); q.Connection == first {
		t.Error("two clients seem to share a connection")
	}
}

func TestConcurrentRequestsAreSeenAsSuch(t *testing.T) {
	var seen requests
	both := make(chan struct{}, 2)
	s := serve(t, local.Options{
		OnRequest: seen.add,
		Intercept: func(string, int) *local.Fault {
			both <- struct{}{}
			for len(both) < 2 {
				time.Sleep(time.Millisecond)
			}
			return nil
		},
	})
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() { _, _ = s.ListSecrets(t.Context(), &secretsmanager.ListSecretsInput{}) })
	}
	group.Wait()
	if most := max(seen.seen[0].Concurrent, seen.seen[1].Concurrent); most != 2 {
		t.Errorf("at most %d requests at once were seen", most)
	}
}

func TestFaultsSpoilTheChosenRequestOnly(t *testing.T) {
	var seen requests
	fault := map[int]*local.Fault{
		1: {Code: "ThrottlingException", Message: "Rate exceeded"},
		2: {Code: "InternalServiceError"},
		3: {LoseRequest: true},
		4: {LoseReply: true},
		5: {Delay: 20 * time.Millisecond},
	}
	s := serve(t, local.Options{OnRequest: seen.add, Intercept: func(operation string, n int) *local.Fault {
		if operation != "PutSecretValue" {
			return nil
		}
		return fault[n]
	}})
	s.create(t, "n", "v")
	put := func(version string) error {
		_, err := s.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{
			SecretId: aws.String("n"), ClientRequestToken: aws.String(token(version)), SecretString: aws.String("v")})
		return err
	}
	wantCode(t, put("two"), "ThrottlingException", "Rate exceeded")
	wantCode(t, put("two"), "InternalServiceError", "")
	if err := put("two"); err == nil {
		t.Error("the lost request succeeded")
	}
	s.wantLabels(t, "n", "one=AWSCURRENT")
	if err := put("three"); err == nil {
		t.Error("the lost reply arrived")
	}
	s.wantLabels(t, "n", "one=AWSPREVIOUS three=AWSCURRENT")
	start := time.Now()
	if err := put("four"); err != nil || time.Since(start) < 20*time.Millisecond {
		t.Errorf("delayed reply: %v after %v", err, time.Since(start))
	}
	var codes []string
	for _, q := range seen.seen {
		if q.Operation == "PutSecretValue" {
			codes = append(codes, q.ErrorCode)
		}
	}
	if got := strings.Join(codes, " "); got != "ThrottlingException InternalServiceError ConnectionDropped ConnectionDropped " {
		t.Errorf("observed %q", got)
	}
}

func TestLogHoldsNoValueAndNoToken(t *testing.T) {
	var out bytes.Buffer
	s := serve(t, local.Options{
		Log:     slog.New(slog.NewJSONHandler(&out, nil)),
		Retries: -1,
		Invoke: local.InvokerFunc(func(_ context.Context, _ string, payload []byte) error {
			return errors.New("function says hunter2")
		}),
	})
	s.create(t, "n", "hunter2")
	_, _ = s.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("n")})
	post(t, s.url, "PutSecretValue", `{"SecretId": "n", "SecretString": "hunter2`)
	s.rotate(t, "n", "two")
	if err := s.Wait(t.Context(), "n", token("two")); err == nil || !strings.Contains(err.Error(), "hunter2") {
		t.Fatalf("the rotation ended with %v", err)
	}
	if !strings.Contains(out.String(), "createSecret") || strings.Contains(out.String(), "hunter2") {
		t.Errorf("the log is %s", out.String())
	}
}

// FuzzRequest proves that no request at all makes the service panic or fail with a 5xx.
func FuzzRequest(f *testing.F) {
	model := readServiceModel(f)
	for operation := range model.Operations {
		f.Add("secretsmanager."+operation, `{}`)
		f.Add("secretsmanager."+operation, goodInput(operation))
		for _, bad := range model.badInputs(model.Operations[operation], "") {
			if len(bad.value) < 1000 {
				f.Add("secretsmanager."+operation, bad.value)
			}
		}
		f.Add("secretsmanager."+operation, `{"SecretId":"n","Name":"m","ClientRequestToken":"`+token("two")+`","SecretString":"v","VersionStage":"x",
			"MoveToVersionId":"`+token("one")+`","Tags":[{"Key":"k","Value":"v"}],"TagKeys":["k"],"SecretIdList":["n"],"MaxResults":1,
			"Filters":[{"Key":"all","Values":["!n"]}],"RotationLambdaARN":"f","RotationRules":{"ScheduleExpression":"rate(9 hours)"}}`)
	}
	f.Add("secretsmanager.GetRandomPassword", `{"PasswordLength":4,"ExcludeCharacters":"é0"}`)
	f.Add("", "\xff")
	service := local.NewSecretsManager(local.Options{Retries: -1, Invoke: local.InvokerFunc(func(context.Context, string, []byte) error { return nil })})
	f.Cleanup(service.Close)
	ask := func(target, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		r.Header.Set("X-Amz-Target", target)
		w := httptest.NewRecorder()
		service.ServeHTTP(w, r)
		return w
	}
	wellFormed := regexp.MustCompile(`^\{.*\}$`)
	f.Fuzz(func(t *testing.T, target, body string) {
		ask("secretsmanager.CreateSecret", `{"Name":"n","SecretString":"v","ClientRequestToken":"`+token("one")+`"}`)
		if w := ask(target, body); w.Code >= 500 || !wellFormed.MatchString(w.Body.String()) {
			t.Errorf("got %d %s", w.Code, w.Body)
		}
	})
}
