package main

import (
	"errors"
	"slices"
	"testing"

	"github.com/seed492efc12/rotor/internal/install"
)

func TestArgumentsNameServersAndProducts(t *testing.T) {
	for _, test := range []struct{ args, want []string }{
		{nil, install.Names()},
		{[]string{"mysql", "postgres-18"}, []string{"mysql-8.0", "mysql-9.7", "postgres-18"}},
	} {
		if got, err := choose(test.args); err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%v: %v, %v", test.args, got, err)
		}
	}
	if _, err := choose([]string{"oracle"}); err == nil {
		t.Error("oracle is taken for a server")
	}
}

func TestOnlyWhatCouldBeHadIsAFailureUnlessAllIsRequired(t *testing.T) {
	missing := result{err: &install.MissingError{Name: "mysql-9.7", Why: "needs Debian's apt"}}
	for _, test := range []struct {
		results       []result
		require, want bool
	}{
		{[]result{{}}, true, true},
		{[]result{{}, missing}, false, true},
		{[]result{{}, missing}, true, false},
		{[]result{{err: errors.New("the connection broke")}, {}}, false, false},
	} {
		if got := report(make([]string, len(test.results)), test.results, test.require); got != test.want {
			t.Errorf("%+v: %v", test, got)
		}
	}
}
