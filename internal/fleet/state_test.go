package fleet_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/seed492efc12/rotor/internal/fleet"
)

var now = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

const (
	arnOf    = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/db-AbCdEf"
	function = "arn:aws:lambda:eu-west-1:111122223333:function:"
	foreign  = "arn:aws:lambda:eu-west-1:999988887777:function:shared"
)

// functions are what ListFunctions says.
func functions() fleet.Functions {
	all := fleet.Functions{}
	for _, c := range []lambdatypes.FunctionConfiguration{
		{FunctionArn: aws.String(function + "ours"), Description: aws.String("Rotor 1.2.3: rotates secrets of PostgreSQL."), Runtime: "provided.al2023"},
		{FunctionArn: aws.String(function + "aws"), Description: aws.String("Conducts an AWS SecretsManager secret rotation for RDS MySQL using single user rotation scheme"), Runtime: "python3.13"},
		{FunctionArn: aws.String(function + "theirs"), Description: aws.String("Rotates API keys."), Runtime: "nodejs22.x"},
	} {
		f := fleet.FunctionOf(c)
		all[f.ARN] = f
	}
	return all
}

// well is a secret that rotated ten days ago, and does so again in twenty. Changes
// make others of it.
func well(changes ...func(*types.SecretListEntry)) types.SecretListEntry {
	e := types.SecretListEntry{
		ARN: aws.String(arnOf), Name: aws.String("shop/db"),
		RotationEnabled: aws.Bool(true), RotationLambdaARN: aws.String(function + "ours"),
		RotationRules:   &types.RotationRulesType{AutomaticallyAfterDays: aws.Int64(30)},
		CreatedDate:     aws.Time(now.AddDate(-1, 0, 0)),
		LastRotatedDate: aws.Time(now.AddDate(0, 0, -10)), LastChangedDate: aws.Time(now.AddDate(0, 0, -10)), NextRotationDate: aws.Time(now.AddDate(0, 0, 20)),
		SecretVersionsToStages: map[string][]string{"v2": {"AWSCURRENT"}, "v1": {"AWSPREVIOUS"}},
	}
	for _, change := range changes {
		change(&e)
	}
	return e
}

type change = func(*types.SecretListEntry)

// pending is a rotation that was under way at the last change, so long ago.
func pending(ago time.Duration) change {
	return func(e *types.SecretListEntry) {
		e.SecretVersionsToStages = map[string][]string{"v3": {"AWSPENDING"}, "v2": {"AWSCURRENT"}, "v1": {"AWSPREVIOUS"}}
		e.LastChangedDate = aws.Time(now.Add(-ago))
	}
}

func by(arn string) change {
	return func(e *types.SecretListEntry) { e.RotationLambdaARN = aws.String(arn) }
}

func next(d time.Duration) change {
	return func(e *types.SecretListEntry) { e.NextRotationDate = aws.Time(now.Add(d)) }
}

func changed(ago time.Duration) change {
	return func(e *types.SecretListEntry) { e.LastChangedDate = aws.Time(now.Add(-ago)) }
}

func TestEachStateIsToldFromTheList(t *testing.T) {
	off := func(e *types.SecretListEntry) { e.RotationEnabled, e.NextRotationDate = aws.Bool(false), nil }
	never := func(e *types.SecretListEntry) { e.LastRotatedDate = nil }
	unset := func(e *types.SecretListEntry) {
		e.RotationEnabled, e.RotationLambdaARN, e.RotationRules, e.NextRotationDate, e.LastRotatedDate = nil, nil, nil, nil, nil
	}
	owned := func(e *types.SecretListEntry) { e.OwningService, e.RotationLambdaARN = aws.String("rds"), nil }
	for name, c := range map[string]struct {
		secret types.SecretListEntry
		want   fleet.State
	}{
		"well":                                             {well(), fleet.OK},
		"AWSPENDING on AWSCURRENT's own version":           {well(func(e *types.SecretListEntry) { e.SecretVersionsToStages["v2"] = []string{"AWSCURRENT", "AWSPENDING"} }), fleet.OK},
		"a version of the function":                        {well(by(function + "ours:7")), fleet.OK},
		"an alias of the function":                         {well(by(function + "ours:live")), fleet.OK},
		"another account's function":                       {well(by(foreign)), fleet.OK},
		"a rotation began a moment ago":                    {well(pending(time.Second)), fleet.Rotating},
		"a rotation began a quarter of an hour ago":        {well(pending(15 * time.Minute)), fleet.Rotating},
		"a rotation began longer ago":                      {well(pending(15*time.Minute + time.Millisecond)), fleet.Stuck},
		"a rotation has not ended, and one is due":         {well(pending(time.Hour), next(-time.Hour)), fleet.Stuck},
		"a rotation has not ended, and is switched off":    {well(pending(time.Hour), off), fleet.Stuck},
		"a first rotation has not ended":                   {well(pending(time.Hour), never), fleet.Stuck},
		"a rotation has not ended, and its function went":  {well(pending(time.Hour), by(function+"gone")), fleet.Stuck},
		"a rotation has not ended, by AWS's function":      {well(pending(time.Hour), by(function+"aws")), fleet.Stuck},
		"nobody knows when it was changed":                 {well(pending(0), func(e *types.SecretListEntry) { e.LastChangedDate = nil }), fleet.Stuck},
		"the function went":                                {well(by(function + "gone")), fleet.Gone},
		"the function went with its aliases":               {well(by(function + "gone:live")), fleet.Gone},
		"the function went, and rotation is switched off":  {well(by(function+"gone"), off), fleet.Gone},
		"the function went a moment after it began":        {well(pending(time.Second), by(function+"gone")), fleet.Gone},
		"switched off":                                     {well(off), fleet.Off},
		"switched off before the first":                    {well(off, never), fleet.Off},
		"due this instant":                                 {well(next(0)), fleet.OK},
		"due an instant ago":                               {well(next(-time.Millisecond)), fleet.Overdue},
		"due, and never rotated":                           {well(never, next(-time.Hour)), fleet.Overdue},
		"due, by AWS's function":                           {well(next(-time.Hour), by(function+"aws")), fleet.Overdue},
		"the first rotation is ahead":                      {well(never), fleet.Ahead},
		"the first rotation is ahead, by AWS's function":   {well(never, by(function+"aws")), fleet.Ahead},
		"the first rotation is due this instant":           {well(never, next(0)), fleet.Ahead},
		"the first rotation is ahead for a whole interval": {well(never, changed(31*24*time.Hour)), fleet.Ahead},
		"the first rotation was put off":                   {well(never, changed(31*24*time.Hour+time.Millisecond)), fleet.Never},
		"the first rotation is ahead, by a schedule": {well(never, changed(100*24*time.Hour), func(e *types.SecretListEntry) {
			e.RotationRules = &types.RotationRulesType{ScheduleExpression: aws.String("cron(0 3 1 1 ? *)")}
		}), fleet.Ahead},
		"never rotated, and no date is set":                {well(never, func(e *types.SecretListEntry) { e.NextRotationDate = nil }), fleet.Never},
		"rotated by hand only":                             {well(func(e *types.SecretListEntry) { e.NextRotationDate, e.RotationRules = nil, nil }), fleet.OK},
		"not configured":                                   {well(unset), fleet.Unrotated},
		"not configured, with a version that nobody moved": {well(unset, pending(time.Hour)), fleet.Stuck},
		"AWS's function":                                   {well(by(function + "aws")), fleet.ByAWS},
		"another function":                                 {well(by(function + "theirs")), fleet.ByOthers},
		"managed by RDS":                                   {well(owned), fleet.ByAService},
		"managed by RDS, which rotates right now":          {well(owned, pending(time.Hour)), fleet.ByAService},
		"managed by AppFlow, which does not rotate":        {well(unset, func(e *types.SecretListEntry) { e.OwningService = aws.String("appflow") }), fleet.ByAService},
		"a partner's, which Secrets Manager rotates": {well(func(e *types.SecretListEntry) {
			e.RotationLambdaARN, e.Type = nil, aws.String("SalesforceClientSecret")
		}), fleet.ByAService},
		"a replica":               {well(unset, func(e *types.SecretListEntry) { e.PrimaryRegion = aws.String("us-east-1") }), fleet.Replica},
		"the primary of replicas": {well(func(e *types.SecretListEntry) { e.PrimaryRegion = aws.String("eu-west-1") }), fleet.OK},
	} {
		s := fleet.Of(c.secret, functions(), now)
		if s.State != c.want {
			t.Errorf("%s: %q, want %q", name, s.State, c.want)
		}
		if (c.want == fleet.Stuck) == s.Since.IsZero() && c.secret.LastChangedDate != nil {
			t.Errorf("%s: %q since %v", name, s.State, s.Since)
		}
	}
}

func TestNothingIsSaidOfFunctionsThatWereNotRead(t *testing.T) {
	s := fleet.Of(well(by(function+"gone")), nil, now)
	if s.State != fleet.OK || s.Function.Kind != fleet.Unknown {
		t.Errorf("%q, function %+v", s.State, s.Function)
	}
	// An account that has no function at all was read.
	if s := fleet.Of(well(), fleet.Functions{}, now); s.State != fleet.Gone || s.Function.Kind != fleet.Missing {
		t.Errorf("%q, function %+v", s.State, s.Function)
	}
}

func TestASecretIsToldWhole(t *testing.T) {
	s := fleet.Of(well(pending(time.Hour), by(function+"ours:live")), functions(), now)
	want := fleet.Secret{Name: "shop/db", ARN: arnOf, Region: "eu-west-1", State: fleet.Stuck, Since: now.Add(-time.Hour),
		Rotated: now.AddDate(0, 0, -10), Next: now.AddDate(0, 0, 20), Pending: "v3",
		Function: fleet.Function{ARN: function + "ours", Kind: fleet.Rotor, Version: "1.2.3", Servers: "PostgreSQL", LogGroup: "/aws/lambda/ours"}}
	if s != want {
		t.Errorf("got  %+v\nwant %+v", s, want)
	}
	if s.Function.Name() != "ours" {
		t.Errorf("the function's name is %q", s.Function.Name())
	}
}

func TestAFunctionIsKnownByItsDescription(t *testing.T) {
	for _, c := range []struct {
		description, runtime string
		kind                 fleet.Kind
		version              string
	}{
		{"Rotor 0.2.0: rotates secrets of MySQL and MariaDB.", "provided.al2023", fleet.Rotor, "0.2.0"},
		{"Rotor 1.0.0-rc.1: rotates secrets of Oracle.", "provided.al2023", fleet.Rotor, "1.0.0-rc.1"},
		{"Rotor blades: counts them.", "provided.al2023", fleet.Other, ""},
		{"Rotor 0.2.0", "provided.al2023", fleet.Other, ""},
		{"Not Rotor 0.2.0: at all.", "provided.al2023", fleet.Other, ""},
		{"Conducts an AWS SecretsManager secret rotation for RDS PostgreSQL using multi user rotation scheme", "python3.9", fleet.AWS, ""},
		{"Conducts an AWS SecretsManager secret rotation for RDS PostgreSQL using multi user rotation scheme", "provided.al2023", fleet.Other, ""},
		{"", "", fleet.Other, ""},
	} {
		f := fleet.FunctionOf(lambdatypes.FunctionConfiguration{FunctionArn: aws.String(function + "f"), Description: &c.description, Runtime: lambdatypes.Runtime(c.runtime)})
		if f.Kind != c.kind || f.Version != c.version {
			t.Errorf("%q: %q, version %q", c.description, f.Kind, f.Version)
		}
	}
	f := fleet.FunctionOf(lambdatypes.FunctionConfiguration{FunctionArn: aws.String(function + "f"), LoggingConfig: &lambdatypes.LoggingConfig{LogGroup: aws.String("rotations")}})
	if f.LogGroup != "rotations" {
		t.Errorf("the log group is %q", f.LogGroup)
	}
}

func TestEveryStateHasItsPlace(t *testing.T) {
	seen := map[fleet.State]bool{}
	bad := true
	for _, s := range fleet.States() {
		if seen[s] {
			t.Errorf("%q is there twice", s)
		}
		if seen[s] = true; s.Bad() && !bad {
			t.Errorf("%q is bad, and comes after one that is not", s)
		}
		bad = s.Bad()
	}
}
