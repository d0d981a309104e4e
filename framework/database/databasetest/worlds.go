package databasetest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation/rotationtest"
)

// Worlds runs a test by each strategy on worlds that are made at random, each by
// the generator that it is given. The test returns what the first trial said: it
// has to be yes now and then, or there was nothing to rotate. A world that fails
// says its seed: ROTOR_TEST_WORLD makes that one alone, or a range such as 101-200,
// so that a sweep can be run in parts. A usual run makes 20 for each strategy and
// server, a sweep of all servers 500.
func Worlds(t *testing.T, test func(t *testing.T, s database.Strategy, dice *rand.Rand) (said error)) {
	t.Helper()
	first, worlds := seeds(t)
	for _, name := range []string{"single-user", "single-user-by-administrator", "alternating-users"} {
		strategy, err := database.ParseStrategy(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			yes := 0
			for seed := first; seed < first+worlds; seed++ {
				t.Run(fmt.Sprint("world", seed), func(t *testing.T) {
					if test(t, strategy, rand.New(rand.NewPCG(seed, 0))) == nil {
						yes++
					}
				})
			}
			if t.Logf("%d of %d trials said yes", yes, worlds); yes == 0 && worlds > 1 {
				t.Error("no trial said yes")
			}
		})
	}
}

// seeds are those of the worlds to make.
func seeds(t *testing.T) (first, worlds uint64) {
	t.Helper()
	if wanted := os.Getenv("ROTOR_TEST_WORLD"); wanted != "" {
		from, to, many := strings.Cut(wanted, "-")
		if !many {
			to = from
		}
		first, err1 := strconv.ParseUint(from, 10, 32)
		last, err2 := strconv.ParseUint(to, 10, 32)
		if err1 != nil || err2 != nil || last < first {
			t.Fatalf("ROTOR_TEST_WORLD is %q, and neither a seed nor a range of seeds such as 101-200", wanted)
		}
		return first, last - first + 1
	}
	if w := rotationtest.WantedSweep(); w == rotationtest.DyingEverywhere || w == rotationtest.FullSweep {
		return 1, 500
	}
	return 1, 20
}

// Some of all, one in so many.
func Some[T any](dice *rand.Rand, in int, all []T) (chosen []T) {
	for _, s := range all {
		if dice.IntN(in) == 0 {
			chosen = append(chosen, s)
		}
	}
	return chosen
}
