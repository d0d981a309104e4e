package functiontest

import (
	"compress/flate"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/local"
	"github.com/seed492efc12/rotor/local/rig"
)

// RunBadSettings checks that each of some settings, by name, stops the function as it starts, with class BadConfig and
// the setting's name.
func RunBadSettings(t *testing.T, bootstrap string, settings map[string]string) {
	r, err := rig.Open(local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	closing(t, r)
	for name, value := range settings {
		t.Run(name, func(t *testing.T) {
			_, err := r.Start(local.FunctionConfig{Bootstrap: bootstrap, Env: map[string]string{name: value}})
			var f *local.FunctionError
			if !errors.As(err, &f) || f.Type != "Rotation.BadConfig" || !strings.Contains(f.Message, name) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// WantSmall checks how many bytes Lambda fetches on a cold start: those of the function's zip, which holds little else.
func WantSmall(t *testing.T, bootstrap string, most int) {
	t.Helper()
	binary, err := os.Open(bootstrap)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = binary.Close() }()
	var size counter
	w, err := flate.NewWriter(&size, flate.DefaultCompression)
	if err == nil {
		_, err = io.Copy(w, binary)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	if t.Logf("%d bytes", size); int(size) > most {
		t.Errorf("%d bytes, want at most %d", size, most)
	}
}

type counter int

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
