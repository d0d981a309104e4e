package watcher_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/seed492efc12/rotor/internal/emf/emftest"
	"github.com/seed492efc12/rotor/internal/fleet"
	"github.com/seed492efc12/rotor/internal/watcher"
)

const (
	day      = 24 * time.Hour
	function = "arn:aws:lambda:eu-west-1:111122223333:function:"
)

var errRefused = errors.New("refused")

// A region is what AWS would say of one.
type region struct {
	now       time.Time
	secrets   []types.SecretListEntry
	functions []string // of Rotor's
	days      map[string]float64
	failed    []string // secrets whose last trial failed

	noSecrets, noFunctions, noLogs, hangs bool
}

func (r region) ListSecrets(context.Context, *secretsmanager.ListSecretsInput, ...func(*secretsmanager.Options)) (*secretsmanager.ListSecretsOutput, error) {
	if r.noSecrets {
		return nil, errRefused
	}
	return &secretsmanager.ListSecretsOutput{SecretList: r.secrets}, nil
}

func (r region) ListFunctions(context.Context, *lambda.ListFunctionsInput, ...func(*lambda.Options)) (*lambda.ListFunctionsOutput, error) {
	if r.noFunctions {
		return nil, errRefused
	}
	out := &lambda.ListFunctionsOutput{}
	for _, f := range r.functions {
		out.Functions = append(out.Functions, lambdatypes.FunctionConfiguration{FunctionArn: aws.String(function + f), Description: aws.String("Rotor 1.2.3: rotates.")})
	}
	return out, nil
}

func (r region) StartQuery(_ context.Context, in *cloudwatchlogs.StartQueryInput, _ ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.StartQueryOutput, error) {
	if r.noLogs {
		return nil, errRefused
	}
	return &cloudwatchlogs.StartQueryOutput{QueryId: in.LogGroupName}, nil
}

func (r region) GetQueryResults(context.Context, *cloudwatchlogs.GetQueryResultsInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.GetQueryResultsOutput, error) {
	if r.hangs {
		return &cloudwatchlogs.GetQueryResultsOutput{Status: logstypes.QueryStatusRunning}, nil
	}
	out := &cloudwatchlogs.GetQueryResultsOutput{Status: logstypes.QueryStatusComplete}
	add := func(pairs ...string) {
		var fields []logstypes.ResultField
		for i := 0; i < len(pairs); i += 2 {
			fields = append(fields, logstypes.ResultField{Field: &pairs[i], Value: &pairs[i+1]})
		}
		out.Results = append(out.Results, fields)
	}
	when := r.now.Add(-time.Hour).Format("2006-01-02 15:04:05.000")
	for secret, n := range r.days {
		add("@timestamp", when, "secret", arn(secret), "about", "1.2.3", "Version", "1.2.3", "Failures", "0", "CertificateDaysToExpiry", fmt.Sprint(n))
	}
	for _, secret := range r.failed {
		add("@timestamp", when, "secret", arn(secret), "about", "Rotation.TLS", "class", "Rotation.TLS", "cause", "It happened.", "remedy", "Mend it.", "step", "testSecret")
	}
	return out, nil
}

func arn(secret string) string {
	return "arn:aws:secretsmanager:eu-west-1:111122223333:secret:" + secret
}

// secret is one that its function rotated so many days ago; 0 for never.
func (r *region) secret(name, by string, daysAgo int, changes ...func(*types.SecretListEntry)) {
	e := types.SecretListEntry{
		ARN: aws.String(arn(name)), Name: &name, RotationEnabled: aws.Bool(true), RotationLambdaARN: aws.String(function + by),
		LastChangedDate: aws.Time(r.now.AddDate(0, 0, -daysAgo)), NextRotationDate: aws.Time(r.now.Add(day)),
		SecretVersionsToStages: map[string][]string{"v1": {"AWSCURRENT"}},
	}
	if daysAgo > 0 {
		e.LastRotatedDate = e.LastChangedDate
	}
	for _, c := range changes {
		c(&e)
	}
	r.secrets = append(r.secrets, e)
}

func stuck(e *types.SecretListEntry) { e.SecretVersionsToStages["v2"] = []string{"AWSPENDING"} }
func overdue(e *types.SecretListEntry) {
	e.NextRotationDate = aws.Time(e.NextRotationDate.Add(-2 * day))
}
func never(e *types.SecretListEntry) { e.NextRotationDate = nil }
func off(e *types.SecretListEntry)   { e.RotationEnabled, e.NextRotationDate = nil, nil }

// newRegion has a secret in each state for which somebody must act.
func newRegion(now time.Time) region {
	r := region{now: now, functions: []string{"a", "b", "unused"}, failed: []string{"failed"}, days: map[string]float64{"well": 20.5, "overdue": 400}}
	r.secret("well", "a", 5)
	r.secret("overdue", "a", 40, overdue)
	r.secret("off", "a", 200, off)
	r.secret("failed", "b", 7)
	r.secret("stuck", "b", 9, stuck)
	r.secret("stuck too", "b", 8, stuck)
	r.secret("never", "b", 0, never)
	r.secret("gone", "c", 300)
	r.secrets = append(r.secrets, types.SecretListEntry{ARN: aws.String(arn("plain")), Name: aws.String("plain")})
	return r
}

// watch runs the watcher once. Acts are the lines of the log for which somebody must
// act, by the secret's name.
func watch(t *testing.T, r region) (values emftest.Values, acts map[string]map[string]string, log string, err error) {
	t.Helper()
	var out, told bytes.Buffer
	w := watcher.Watcher{Place: fleet.Place{Region: "eu-west-1", Secrets: r, Functions: r}, Logs: r, Out: &out,
		Log: slog.New(slog.NewJSONHandler(&told, nil)), Now: func() time.Time { return r.now }}
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	if err = w.Watch(ctx); ctx.Err() != nil {
		t.Error("the function has timed out")
	}
	values = emftest.Values{}
	for line := range strings.Lines(out.String()) {
		some, _, bad := emftest.Read([]byte(line))
		if bad != nil || some == nil {
			t.Errorf("%v: %s", bad, line)
		}
		maps.Copy(values, some)
	}
	acts = map[string]map[string]string{}
	for line := range strings.Lines(told.String()) {
		var l map[string]string
		if bad := json.Unmarshal([]byte(line), &l); bad != nil {
			t.Errorf("%v: %s", bad, line)
		}
		if l["msg"] == "somebody must act" {
			acts[l["secret"]] = l
		}
	}
	return values, acts, told.String(), err
}

// all is what newRegion comes to.
func all() emftest.Values {
	return emftest.Values{"Secrets": 9, "Stuck": 2, "FunctionGone": 1, "FailedTrial": 1, "Overdue": 1, "Never": 1, "SwitchedOff": 1, "LogsUnread": 0,
		"OldestRotationDays": 300, "CertificateDays": 20,
		"Stuck Function=a": 0, "OldestRotationDays Function=a": 40, "CertificateDays Function=a": 20,
		"Stuck Function=b": 2, "OldestRotationDays Function=b": 9,
		"Stuck Function=c": 0, "OldestRotationDays Function=c": 300}
}

// without is all but some, and with changes.
func without(names string, changes emftest.Values) emftest.Values {
	v := all()
	for _, name := range strings.Split(names, ", ") {
		delete(v, name)
	}
	maps.Copy(v, changes)
	return v
}

func TestWhatIsKnownIsWrittenAndNothingElse(t *testing.T) {
	const certificates = "CertificateDays, CertificateDays Function=a"
	for name, c := range map[string]struct {
		change func(*region)
		want   emftest.Values
		acts   int
		says   string
	}{
		"all is known":            {func(*region) {}, all(), 7, ""},
		"logs are refused":        {func(r *region) { r.noLogs = true }, without("FailedTrial, "+certificates, emftest.Values{"LogsUnread": 2}), 6, "reading the log of a: refused"},
		"logs do not answer":      {func(r *region) { r.hangs = true }, without("FailedTrial, "+certificates, emftest.Values{"LogsUnread": 2}), 6, "reading the log of b: context deadline exceeded"},
		"functions are refused":   {func(r *region) { r.noFunctions = true }, without("FunctionGone, FailedTrial, "+certificates, nil), 5, "listing the functions: refused"},
		"no certificate was seen": {func(r *region) { r.days = nil }, without(certificates, nil), 7, ""},
		"a certificate has ended": {func(r *region) { r.days["stuck"] = -3.5 },
			without("", emftest.Values{"CertificateDays": -3, "CertificateDays Function=b": -3}), 7, ""},
		"there is no secret": {func(r *region) { r.secrets = nil }, emftest.Values{"Secrets": 0, "Stuck": 0, "FunctionGone": 0, "FailedTrial": 0, "Overdue": 0,
			"Never": 0, "SwitchedOff": 0, "LogsUnread": 0}, 0, ""},
		"secrets are refused": {func(r *region) { r.noSecrets = true }, emftest.Values{}, 0, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newRegion(time.Now().UTC())
			c.change(&r)
			got, acts, log, err := watch(t, r)
			if !maps.Equal(got, c.want) || len(acts) != c.acts || !strings.Contains(log, c.says) {
				t.Errorf("%s: %v, want %v; %d lines, want %d: %s", name, got, c.want, len(acts), c.acts, log)
			}
			if errors.Is(err, errRefused) != r.noSecrets || (err == nil) == r.noSecrets {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

func TestTheLogLeadsToTheSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now().UTC()
		ago := func(days int) string { return now.AddDate(0, 0, -days).Format(time.RFC3339) }
		_, acts, _, _ := watch(t, newRegion(now))
		for name, want := range map[string]map[string]string{
			"stuck": {"state": "stuck", "since": ago(9), "rotated": ago(9), "next": ago(-1), "function": "b"},
			"gone":  {"state": "function gone", "rotated": ago(300), "next": ago(-1), "function": "c"},
			"never": {"state": "never", "function": "b"},
			"failed": {"state": "failed trial", "since": now.Add(-time.Hour).Format(time.RFC3339), "rotated": ago(7), "next": ago(-1), "function": "b",
				"class": "Rotation.TLS", "cause": "It happened.", "remedy": "Mend it."},
		} {
			got := maps.Clone(acts[name])
			maps.DeleteFunc(got, func(field, _ string) bool { return field == "time" || field == "level" || field == "msg" })
			want["secret"], want["arn"] = name, arn(name)
			if !maps.Equal(got, want) {
				t.Errorf("%s: %v, want %v", name, got, want)
			}
		}
	})
}

// Of each age the line names the secret, so that an alarm on it leads there.
func TestTheMetricsNameTheSecretsThatTheyAreOf(t *testing.T) {
	var out bytes.Buffer
	r := newRegion(time.Now().UTC())
	w := watcher.Watcher{Place: fleet.Place{Secrets: r, Functions: r}, Logs: r, Out: &out, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return r.now }}
	if err := w.Watch(t.Context()); err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(out.String(), "\n")
	_, members, err := emftest.Read([]byte(line))
	if err != nil || members["OldestRotationSecret"] != "gone" || members["CertificateSecret"] != "well" {
		t.Errorf("%v, %v", err, members)
	}
}

func TestEveryStateForWhichSomebodyMustActIsCounted(t *testing.T) {
	values := all()
	bad := 0.0
	for _, s := range fleet.States() {
		name := ""
		for word := range strings.FieldsSeq(string(s)) {
			name += strings.ToUpper(word[:1]) + word[1:]
		}
		if _, counted := values[name]; counted != s.Bad() {
			t.Errorf("%q is counted as %s: %v", s, name, counted)
		}
		bad += values[name]
	}
	if bad != 7 {
		t.Errorf("%v secrets of 7 are counted", bad)
	}
}

func TestOnlyScheduledEventsAreTaken(t *testing.T) {
	r := region{now: time.Now(), noSecrets: true} // so that a look is an error
	w := watcher.Watcher{Place: fleet.Place{Secrets: r, Functions: r}, Logs: r, Out: new(bytes.Buffer), Log: slog.New(slog.DiscardHandler), Now: time.Now}
	for event, taken := range map[string]bool{
		`{"version":"0","detail-type":"Scheduled Event","source":"aws.events","resources":["arn:aws:events:eu-west-1:111122223333:rule/r"],"detail":{}}`: true,
		`{"Step":"createSecret","SecretId":"arn","ClientRequestToken":"t"}`:                                                                              false,
		`{"Rotor":"which","SecretId":"arn"}`: false,
		`{}`:                                 false,
	} {
		var e watcher.Event
		if err := json.Unmarshal([]byte(event), &e); err != nil {
			t.Fatal(err)
		}
		if err := w.Handle(t.Context(), e); errors.Is(err, errRefused) != taken || err == nil {
			t.Errorf("%s: %v", event, err)
		}
	}
}
