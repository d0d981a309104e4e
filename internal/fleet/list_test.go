package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/seed492efc12/rotor/internal/fleet"
)

// names is a Secrets Manager that has secrets of those names, and answers a page of
// at most two, some of them empty.
type names []string

func (n names) ListSecrets(_ context.Context, in *secretsmanager.ListSecretsInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.ListSecretsOutput, error) {
	from := 0
	if in.NextToken != nil {
		fmt.Sscan(*in.NextToken, &from)
	}
	out := &secretsmanager.ListSecretsOutput{}
	if from == 2 && len(n) > 2 { // a page may be empty, and not be the last
		out.NextToken = aws.String("-2")
		return out, nil
	}
	from = max(from, -from)
	for _, name := range n[from:min(from+2, len(n))] {
		e := well()
		e.Name, e.ARN = aws.String(name), aws.String("arn:aws:secretsmanager:eu-west-1:111122223333:secret:"+name+"-AbCdEf")
		out.SecretList = append(out.SecretList, e)
	}
	if from+2 < len(n) {
		out.NextToken = aws.String(fmt.Sprint(from + 2))
	}
	return out, nil
}

type noFunctions struct{ err error }

func (n noFunctions) ListFunctions(context.Context, *lambda.ListFunctionsInput, ...func(*lambda.Options)) (*lambda.ListFunctionsOutput, error) {
	return &lambda.ListFunctionsOutput{}, n.err
}

func TestPatternsChooseSecrets(t *testing.T) {
	all := names{"a", "shop/db", "shop/db2", "shop/eu/db", "-x", "s.op/db"}
	for _, c := range []struct {
		patterns, want, unmatched string
	}{
		{"", "-x a s.op/db shop/db shop/db2 shop/eu/db", ""},
		{"shop/db", "shop/db", ""},
		{"shop/*", "shop/db shop/db2 shop/eu/db", ""},
		{"shop/*/db", "shop/eu/db", ""},
		{"*db", "s.op/db shop/db shop/eu/db", ""},
		{"shop/db?", "shop/db2", ""},
		{"?", "a", ""},
		{"s?op/db", "s.op/db shop/db", ""},
		{"[as]*", "a s.op/db shop/db shop/db2 shop/eu/db", ""},
		{"a -x", "-x a", ""},
		{"*", "-x a s.op/db shop/db shop/db2 shop/eu/db", ""},
		{"shop a", "a", "shop"},
		{"Shop/*", "", "Shop/*"},
		{"arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/db-AbCdEf", "shop/db", ""},
	} {
		patterns := strings.Fields(c.patterns)
		found, err := fleet.Place{Region: "eu-west-1", Secrets: all, Functions: noFunctions{}}.List(t.Context(), patterns, now)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range found {
			got = append(got, s.Name)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%q: got %q, want %q", c.patterns, got, c.want)
		}
		if none := strings.Join(fleet.Unmatched(patterns, found), " "); none != c.unmatched {
			t.Errorf("%q: no secret matches %q, want %q", c.patterns, none, c.unmatched)
		}
	}
	for pattern, well := range map[string]bool{"shop/*": true, "[a-c]?": true, "[": false, "shop/[": false, `a\`: false} {
		if err := fleet.CheckPatterns([]string{"*", pattern}); (err == nil) != well {
			t.Errorf("%q: %v", pattern, err)
		}
	}
}

func TestAPlaceIsToldWholeOrNotAtAll(t *testing.T) {
	refused := errors.New("refused")
	found, err := fleet.Place{Secrets: names{"a"}, Functions: noFunctions{refused}}.List(t.Context(), nil, now)
	if !errors.Is(err, refused) || found != nil {
		t.Errorf("got %v, %v", found, err)
	}
}

func TestSecretsAreToldWithoutTheFunctionsToWhoMakesDo(t *testing.T) {
	refused := errors.New("refused")
	found, unread, err := fleet.Place{Secrets: names{"a"}, Functions: noFunctions{refused}}.Look(t.Context(), nil, now)
	if !errors.Is(unread, refused) || err != nil || len(found) != 1 || found[0].State != fleet.OK {
		t.Errorf("got %v, %v, %v", found, unread, err)
	}
}

func TestTheWorstComeFirst(t *testing.T) {
	var all []fleet.Secret
	for _, s := range slices.Backward(fleet.States()) {
		for _, name := range []string{"b", "a"} {
			all = append(all, fleet.Secret{Name: name, State: s})
		}
	}
	fleet.Sort(all)
	for i, s := range fleet.States() {
		if a, b := all[2*i], all[2*i+1]; a.State != s || b.State != s || a.Name != "a" || b.Name != "b" {
			t.Errorf("place %d: %v %v", 2*i, a, b)
		}
	}
}
