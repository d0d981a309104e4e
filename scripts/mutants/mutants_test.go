package main

import "testing"

// A mutant that no longer fits the code proves nothing.
func TestEveryMutantFitsTheCode(t *testing.T) {
	for _, m := range mutants {
		if _, err := m.apply("../.."); err != nil {
			t.Errorf("%s: %v", m.promise, err)
		}
	}
	if len(mutants) < 20 {
		t.Errorf("there are only %d mutants", len(mutants))
	}
}
