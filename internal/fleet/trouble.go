package fleet

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// A Trouble is what a function's log says of a secret's last failure.
type Trouble struct{ Class, Cause, Remedy, Step string }

// Logs are CloudWatch's: a [cloudwatchlogs.Client].
type Logs interface {
	StartQuery(ctx context.Context, in *cloudwatchlogs.StartQueryInput, options ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.StartQueryOutput, error)
	GetQueryResults(ctx context.Context, in *cloudwatchlogs.GetQueryResultsInput, options ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.GetQueryResultsOutput, error)
}

// query finds, for each secret, the newest failure of each class, and the newest
// testSecret of each version of Rotor: that step logs in, sees the server's
// certificate, and is all that a trial runs. The first are lines of the engine's log,
// the second its metrics. dedup keeps all lines that lack one of its fields, so that
// both kinds must have both. Only limit may follow it. It was read against the manual,
// and never run by CloudWatch itself (?).
// Source: CloudWatch Logs user guide, "CloudWatch Logs Insights language query syntax":
// "dedup", "General functions" (ispresent, coalesce), "Supported logs and discovered
// fields" (JSON, with dots).
const query = `fields @timestamp, coalesce(rotation.secret, Secret) as secret, coalesce(class, Version) as about, class, cause, remedy,
  rotation.step as step, Version, Failures, CertificateDaysToExpiry
| filter (ispresent(class) and ispresent(rotation.secret)) or (Step = "testSecret" and ispresent(Secret))
| sort @timestamp desc
| dedup secret, about
| limit 10000`

// lookBack is how far back the log is read, and further where a rotation is stuck
// for longer: a month is the usual time between two rotations.
const lookBack = 32 * 24 * time.Hour

// queries is how many run at once. An account may have thirty.
// Source: CloudWatch Logs user guide, "CloudWatch Logs quotas".
const queries = 8

// patienceWithLogs is how long a query is waited for.
const patienceWithLogs = 2 * time.Minute

// Explain reads the logs of Rotor's functions, by one query each, and adds to the
// secrets what they say: the trouble, the certificate and the function's version. A
// secret whose last trial failed becomes Failed. The errors are of functions whose
// log could not be read; they change nothing.
func Explain(ctx context.Context, logs Logs, secrets []Secret, now time.Time) (errs []error) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	turns := make(chan struct{}, queries)
	for function, from := range asked(secrets, now) {
		wg.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			rows, err := ask(ctx, logs, function.LogGroup, from, now)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				errs = append(errs, fmt.Errorf("reading the log of %s: %w", function.Name(), err))
				return
			}
			explain(secrets, function, rows)
		})
	}
	wg.Wait()
	slices.SortFunc(errs, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
	return errs
}

// asked are the functions whose logs say something, and from when on.
func asked(secrets []Secret, now time.Time) map[Function]time.Time {
	from := map[Function]time.Time{}
	for _, s := range secrets {
		if s.Function.Kind != Rotor {
			continue
		}
		since := now.Add(-lookBack)
		if stuck := s.Since.Add(-time.Hour); s.State == Stuck && !s.Since.IsZero() && stuck.Before(since) {
			since = stuck
		}
		if before, ok := from[s.Function]; !ok || since.Before(before) {
			from[s.Function] = since
		}
	}
	return from
}

// ask runs the query on one log group.
func ask(ctx context.Context, logs Logs, group string, from, to time.Time) ([]line, error) {
	ctx, cancel := context.WithTimeout(ctx, patienceWithLogs)
	defer cancel()
	started, err := logs.StartQuery(ctx, &cloudwatchlogs.StartQueryInput{
		LogGroupName: &group, QueryString: aws.String(query), StartTime: aws.Int64(from.Unix()), EndTime: aws.Int64(to.Unix()),
	})
	if err != nil {
		return nil, err
	}
	for pause := 200 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		out, err := logs.GetQueryResults(ctx, &cloudwatchlogs.GetQueryResultsInput{QueryId: started.QueryId})
		if err != nil {
			return nil, err
		}
		switch out.Status {
		case types.QueryStatusComplete:
			return parse(out.Results)
		case types.QueryStatusScheduled, types.QueryStatusRunning, types.QueryStatusUnknown:
		default:
			return nil, fmt.Errorf("the query ended as %s", out.Status)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// A line is one of the query's results: a failure, or a testSecret.
type line struct {
	secret string
	when   time.Time
	Trouble
	version     string    // the function's, of a testSecret
	well        bool      // a testSecret that did not fail
	certificate time.Time // when it ends; zero if none was seen
}

// timestamp is the form of the answer's times, which are UTC.
const timestamp = "2006-01-02 15:04:05.000"

func parse(results [][]types.ResultField) (lines []line, err error) {
	for _, fields := range results {
		get := map[string]string{}
		for _, f := range fields {
			get[aws.ToString(f.Field)] = aws.ToString(f.Value)
		}
		l := line{secret: get["secret"], version: get["Version"], well: get["Failures"] == "0", Trouble: Trouble{get["class"], get["cause"], get["remedy"], get["step"]}}
		if l.when, err = time.Parse(timestamp, get["@timestamp"]); err != nil {
			return nil, fmt.Errorf("a line without its time: %w", err)
		}
		if text := get["CertificateDaysToExpiry"]; text != "" {
			days, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return nil, fmt.Errorf("CertificateDaysToExpiry: %w", err)
			}
			l.certificate = l.when.Add(time.Duration(days * 24 * float64(time.Hour)))
		}
		lines = append(lines, l)
	}
	slices.SortStableFunc(lines, func(a, b line) int { return b.when.Compare(a.when) })
	return lines, nil
}

// explain adds what the lines, the newest first, say of a function's secrets.
func explain(secrets []Secret, function Function, lines []line) {
	version := function.Version
	if i := slices.IndexFunc(lines, func(l line) bool { return l.version != "" }); i >= 0 {
		version = lines[i].version
	}
	of := map[string][]line{}
	for _, l := range lines {
		of[l.secret] = append(of[l.secret], l)
	}
	for i := range secrets {
		if s := &secrets[i]; s.Function == function {
			s.Function.Version = version
			s.explain(of[s.ARN])
		}
	}
}

// explain takes the newest failure for the secret's trouble if nothing went well
// after it: neither a rotation nor a trial.
func (s *Secret) explain(lines []line) {
	for _, l := range lines {
		if s.Certificate.IsZero() {
			s.Certificate = l.certificate
		}
	}
	i := slices.IndexFunc(lines, func(l line) bool { return l.Class != "" || l.well })
	if i < 0 || lines[i].well || !lines[i].when.After(s.Rotated) {
		return
	}
	s.Trouble = &lines[i].Trouble
	trial := s.Trouble.Step == string(rotation.TestSecret) && s.Pending == ""
	if trial && slices.Contains([]State{OK, Ahead, Never, Overdue}, s.State) {
		s.State, s.Since = Failed, lines[i].when
	}
}
