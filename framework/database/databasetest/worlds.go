package databasetest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/seed492efc12/rotor/framework/rotation/rotationtest"
)

// Worlds runs a test on worlds that are made at random, each by the generator that
// it is given. It says with which seed a world was made that failed:
// ROTOR_TEST_WORLD makes that one alone. A usual run makes 8 for each strategy and
// server, a sweep of all servers 500.
func Worlds(t *testing.T, test func(t *testing.T, r *rand.Rand)) {
	t.Helper()
	first, worlds := uint64(1), uint64(8)
	if w := rotationtest.WantedSweep(); w == rotationtest.DyingEverywhere || w == rotationtest.FullSweep {
		worlds = 500
	}
	if wanted := os.Getenv("ROTOR_TEST_WORLD"); wanted != "" {
		seed, err := strconv.ParseUint(wanted, 10, 64)
		if err != nil {
			t.Fatalf("ROTOR_TEST_WORLD: %v", err)
		}
		first, worlds = seed, 1
	}
	for seed := first; seed < first+worlds; seed++ {
		t.Run(fmt.Sprint("world", seed), func(t *testing.T) { test(t, rand.New(rand.NewPCG(seed, 0))) })
	}
}
