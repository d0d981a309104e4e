package functiontest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/seed492efc12/rotor/local/rig"
)

// bootstraps are the functions that this test binary has built: package -> func() (string, error).
var bootstraps sync.Map

// Bootstrap builds the function of a package, once for the test binary, and returns its path. It is made beside the test
// binary, so that go test removes both. The package is as for [rig.Build].
func Bootstrap(t testing.TB, pkg string) (path string) {
	t.Helper()
	once, _ := bootstraps.LoadOrStore(pkg, sync.OnceValues(func() (string, error) {
		binary, err := os.Executable()
		if err != nil {
			return "", err
		}
		return rig.Build(context.Background(), pkg, binary+"."+strings.Trim(filepath.Base(pkg), "."))
	}))
	path, err := once.(func() (string, error))()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
