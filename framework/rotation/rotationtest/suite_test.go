package rotationtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
)

func TestSoundRotatorsPass(t *testing.T) {
	for _, overlap := range []bool{false, true} {
		t.Run(fmt.Sprintf("overlap=%v", overlap), func(t *testing.T) { Run(t, harness(overlap, func(*keeper) {})) })
	}
}

// TestARotatorWhoseTargetMakesTheKeyPasses is about a rotator whose Next asks the
// vault for a key, by a token that is the same until the rotation has ended.
func TestARotatorWhoseTargetMakesTheKeyPasses(t *testing.T) {
	h := harness(true, func(k *keeper) {
		k.next = func(v rotation.Versions) (secret.Document, error) {
			key, err := k.make(v.Current, "the successor of "+v.Current.Text("key"))
			return v.Current.With("key", key), err
		}
		k.set = k.tidying
	})
	h.Creates = true
	Run(t, h)
}

func TestEachDefectIsFound(t *testing.T) {
	for _, d := range defects {
		t.Run(d.name, func(t *testing.T) {
			i := slices.IndexFunc(checks(), func(c check) bool { return c.name == d.check })
			if i < 0 {
				t.Fatalf("there is no check %s", d.check)
			}
			err := suite{harness(d.overlap, d.spoil), &sightings{}}.run(t, checks()[i])
			if err == nil || !strings.Contains(err.Error(), d.says) {
				t.Errorf("got %v, want %q", err, d.says)
			}
		})
	}
}

func TestEveryCheckFindsADefect(t *testing.T) {
	for _, c := range checks() {
		if !slices.ContainsFunc(defects, func(d defect) bool { return d.check == c.name }) {
			t.Errorf("no defect shows that %s can fail", c.name)
		}
	}
}
