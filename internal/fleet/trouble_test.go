package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/seed492efc12/rotor/internal/fleet"
)

// logs answer each group's query as CloudWatch does: not at once, and with all values
// as text.
type logs struct {
	results map[string][][]types.ResultField // by log group
	refused error
	ended   types.QueryStatus // how queries end, if not as Complete

	mu      sync.Mutex
	queries []*cloudwatchlogs.StartQueryInput
	polls   map[string]int
}

func (l *logs) StartQuery(_ context.Context, in *cloudwatchlogs.StartQueryInput, _ ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.StartQueryOutput, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queries = append(l.queries, in)
	return &cloudwatchlogs.StartQueryOutput{QueryId: in.LogGroupName}, l.refused
}

func (l *logs) GetQueryResults(_ context.Context, in *cloudwatchlogs.GetQueryResultsInput, _ ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.GetQueryResultsOutput, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.polls == nil {
		l.polls = map[string]int{}
	}
	l.polls[*in.QueryId]++
	switch n := l.polls[*in.QueryId]; {
	case n == 1:
		return &cloudwatchlogs.GetQueryResultsOutput{Status: types.QueryStatusScheduled}, nil
	case n == 2: // some of the results are told before the end
		return &cloudwatchlogs.GetQueryResultsOutput{Status: types.QueryStatusRunning, Results: l.results[*in.QueryId][:1]}, nil
	case l.ended != "":
		return &cloudwatchlogs.GetQueryResultsOutput{Status: l.ended}, nil
	}
	return &cloudwatchlogs.GetQueryResultsOutput{Status: types.QueryStatusComplete, Results: l.results[*in.QueryId]}, nil
}

// explain is fleet.Explain without its waiting.
func explain(t *testing.T, l *logs, secrets []fleet.Secret) (errs []error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { errs = fleet.Explain(t.Context(), l, secrets, now) })
	return errs
}

// result is one of a query's: names and values in turn. A field that the line has not
// is left out, as CloudWatch does; @ptr comes with each.
func result(when time.Time, pairs ...string) []types.ResultField {
	fields := []types.ResultField{{Field: aws.String("@timestamp"), Value: aws.String(when.Format("2006-01-02 15:04:05.000"))}}
	for i := 0; i < len(pairs); i += 2 {
		fields = append(fields, types.ResultField{Field: &pairs[i], Value: &pairs[i+1]})
	}
	return append(fields, types.ResultField{Field: aws.String("@ptr"), Value: aws.String("ClwKIAoc")})
}

func failure(ago time.Duration, secret, step, class string) []types.ResultField {
	return result(now.Add(-ago), "secret", secret, "about", class, "class", class, "cause", class+" happened.", "remedy", "Mend it.", "rotation.secret", secret, "step", step)
}

func tested(ago time.Duration, secret, version, failures, days string) []types.ResultField {
	pairs := []string{"secret", secret, "about", version, "Version", version, "Failures", failures}
	if days != "" {
		pairs = append(pairs, "CertificateDaysToExpiry", days)
	}
	return result(now.Add(-ago), pairs...)
}

func TestTheLogSaysWhy(t *testing.T) {
	const day = 24 * time.Hour
	ours := fleet.Function{ARN: function + "ours", Kind: fleet.Rotor, Version: "1.2.3", LogGroup: "ours"}
	for name, c := range map[string]struct {
		state   fleet.State
		pending string
		rotated time.Duration // ago; 0 for never
		lines   [][]types.ResultField
		want    fleet.State
		class   string
	}{
		"stuck":                                    {fleet.Stuck, "v3", 40 * day, [][]types.ResultField{failure(day, "s", "setSecret", "Rotation.TLS")}, fleet.Stuck, "Rotation.TLS"},
		"stuck, and the newest of two":             {fleet.Stuck, "v3", 40 * day, [][]types.ResultField{failure(2*day, "s", "setSecret", "Rotation.TLS"), failure(day, "s", "setSecret", "Rotation.Locked")}, fleet.Stuck, "Rotation.Locked"},
		"stuck in testSecret":                      {fleet.Stuck, "v3", 40 * day, [][]types.ResultField{failure(day, "s", "testSecret", "Rotation.TLS"), tested(day-time.Millisecond, "s", "1.2.3", "1", "")}, fleet.Stuck, "Rotation.TLS"},
		"stuck after testSecret":                   {fleet.Stuck, "v3", 40 * day, [][]types.ResultField{tested(day+time.Second, "s", "1.2.3", "0", "9.5"), failure(day, "s", "finishSecret", "Rotation.StoreDenied")}, fleet.Stuck, "Rotation.StoreDenied"},
		"stuck, and the log says nothing":          {fleet.Stuck, "v3", 40 * day, nil, fleet.Stuck, ""},
		"stuck, and the log is another's":          {fleet.Stuck, "v3", 40 * day, [][]types.ResultField{failure(day, "other", "setSecret", "Rotation.TLS")}, fleet.Stuck, ""},
		"a failure before the last rotation":       {fleet.OK, "", day, [][]types.ResultField{failure(2*day, "s", "setSecret", "Rotation.TLS")}, fleet.OK, ""},
		"a failed trial":                           {fleet.OK, "", 9 * day, [][]types.ResultField{failure(day, "s", "testSecret", "Rotation.TLS"), tested(day-time.Millisecond, "s", "1.2.3", "1", "")}, fleet.Failed, "Rotation.TLS"},
		"a failed trial of a new secret":           {fleet.Never, "", 0, [][]types.ResultField{failure(day, "s", "testSecret", "Rotation.TLS")}, fleet.Failed, "Rotation.TLS"},
		"a failed trial before the first rotation": {fleet.Ahead, "", 0, [][]types.ResultField{failure(day, "s", "testSecret", "Rotation.TLS")}, fleet.Failed, "Rotation.TLS"},
		"a failed trial of one that is overdue":    {fleet.Overdue, "", 40 * day, [][]types.ResultField{failure(day, "s", "testSecret", "Rotation.TLS")}, fleet.Failed, "Rotation.TLS"},
		"a failed trial of one that is off":        {fleet.Off, "", 40 * day, [][]types.ResultField{failure(day, "s", "testSecret", "Rotation.TLS")}, fleet.Off, "Rotation.TLS"},
		"a failed trial and a good one":            {fleet.OK, "", 9 * day, [][]types.ResultField{failure(2*day, "s", "testSecret", "Rotation.TLS"), tested(day, "s", "1.2.3", "0", "")}, fleet.OK, ""},
		"a good trial and a failed one":            {fleet.OK, "", 9 * day, [][]types.ResultField{failure(day, "s", "testSecret", "Rotation.TLS"), tested(2*day, "s", "1.2.2", "0", "")}, fleet.Failed, "Rotation.TLS"},
		"a rotation that was given up":             {fleet.OK, "", 9 * day, [][]types.ResultField{failure(day, "s", "setSecret", "Rotation.TLS")}, fleet.OK, "Rotation.TLS"},
	} {
		s := fleet.Secret{ARN: "s", State: c.state, Pending: c.pending, Function: ours}
		if c.rotated > 0 {
			s.Rotated = now.Add(-c.rotated)
		}
		if c.lines == nil {
			c.lines = [][]types.ResultField{tested(time.Hour, "nobody", "1.2.3", "0", "")}
		}
		secrets := []fleet.Secret{s}
		if errs := explain(t, &logs{results: map[string][][]types.ResultField{"ours": c.lines}}, secrets); errs != nil {
			t.Fatal(errs)
		}
		got := secrets[0]
		class := ""
		if tr := got.Trouble; tr != nil {
			class = tr.Class
			if tr.Cause != class+" happened." || tr.Remedy != "Mend it." {
				t.Errorf("%s: %+v", name, tr)
			}
		}
		if got.State != c.want || class != c.class || (got.State == fleet.Failed) != got.Since.Equal(now.Add(-day)) {
			t.Errorf("%s: %q since %v, class %q; want %q, %q", name, got.State, got.Since, class, c.want, c.class)
		}
	}
}

func TestTheLogTellsCertificatesAndVersions(t *testing.T) {
	ours := fleet.Function{ARN: function + "ours", Kind: fleet.Rotor, Version: "1.2.3", LogGroup: "ours"}
	secrets := []fleet.Secret{{ARN: "a", State: fleet.OK, Function: ours}, {ARN: "b", State: fleet.OK, Function: ours}, {ARN: "c", State: fleet.OK, Function: ours}}
	l := &logs{results: map[string][][]types.ResultField{"ours": {
		tested(48*time.Hour, "a", "1.2.4", "0", "12.5"), // not in the order of time
		tested(24*time.Hour, "a", "1.2.5", "0", "11.5"),
		tested(72*time.Hour, "b", "1.2.3", "1", "-1.5"),
	}}}
	if errs := explain(t, l, secrets); errs != nil {
		t.Fatal(errs)
	}
	for i, want := range []time.Time{now.Add(-24 * time.Hour).Add(276 * time.Hour), now.Add(-72 * time.Hour).Add(-36 * time.Hour), {}} {
		if !secrets[i].Certificate.Equal(want) || secrets[i].Function.Version != "1.2.5" {
			t.Errorf("%s: the certificate ends %v, want %v; version %s", secrets[i].ARN, secrets[i].Certificate, want, secrets[i].Function.Version)
		}
	}
}

func TestOneQueryIsAskedOfEachFunctionOfRotors(t *testing.T) {
	var secrets []fleet.Secret
	for i := range 40 {
		f := fleet.Function{ARN: fmt.Sprint(function, i%4), Kind: fleet.Rotor, LogGroup: fmt.Sprint("group", i%4)}
		secrets = append(secrets, fleet.Secret{ARN: fmt.Sprint(i), State: fleet.OK, Function: f})
	}
	long := now.AddDate(0, -6, 0)
	secrets[1].State, secrets[1].Since = fleet.Stuck, long
	for _, k := range []fleet.Kind{fleet.AWS, fleet.Other, fleet.Missing, fleet.Unknown} {
		secrets = append(secrets, fleet.Secret{State: fleet.Stuck, Function: fleet.Function{ARN: function + string(k), Kind: k, LogGroup: string(k)}})
	}
	l := &logs{results: map[string][][]types.ResultField{}}
	for i := range 4 {
		l.results[fmt.Sprint("group", i)] = [][]types.ResultField{tested(time.Hour, "x", "1", "0", "")}
	}
	if errs := explain(t, l, secrets); errs != nil {
		t.Fatal(errs)
	}
	var groups []string
	for _, q := range l.queries {
		groups = append(groups, *q.LogGroupName)
		from := now.AddDate(0, 0, -32)
		if *q.LogGroupName == "group1" {
			from = long.Add(-time.Hour)
		}
		if *q.StartTime != from.Unix() || *q.EndTime != now.Unix() {
			t.Errorf("%s: from %v to %v", *q.LogGroupName, time.Unix(*q.StartTime, 0), time.Unix(*q.EndTime, 0))
		}
	}
	slices.Sort(groups)
	if got := strings.Join(groups, " "); got != "group0 group1 group2 group3" {
		t.Errorf("queries of %s", got)
	}
}

func TestALogThatCannotBeReadChangesNothing(t *testing.T) {
	ours := fleet.Function{ARN: function + "ours", Kind: fleet.Rotor, Version: "1.2.3", LogGroup: "ours"}
	refused := errors.New("refused")
	some := map[string][][]types.ResultField{"ours": {failure(time.Hour, "s", "testSecret", "Rotation.TLS")}}
	wrong := map[string][][]types.ResultField{"ours": {result(now, "secret", "s", "CertificateDaysToExpiry", "soon")}}
	for _, c := range []struct {
		logs *logs
		says string
	}{
		{&logs{refused: refused}, "reading the log of ours: refused"},
		{&logs{results: some, ended: types.QueryStatusFailed}, "reading the log of ours: the query ended as Failed"},
		{&logs{results: some, ended: types.QueryStatusTimeout}, "reading the log of ours: the query ended as Timeout"},
		{&logs{results: wrong}, "reading the log of ours: CertificateDaysToExpiry"},
		{&logs{results: map[string][][]types.ResultField{"ours": {{{Field: aws.String("secret"), Value: aws.String("s")}}}}}, "reading the log of ours: a line without its time"},
	} {
		before := fleet.Secret{ARN: "s", State: fleet.OK, Function: ours}
		secrets := []fleet.Secret{before}
		errs := explain(t, c.logs, secrets)
		if len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), c.says) || secrets[0] != before {
			t.Errorf("want %q: got %v, %+v", c.says, errs, secrets[0])
		}
	}
}
