package redis_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/rotators/redis/redistest"
)

// A report of a run on somebody's server says which version it was.
func TestAnExistingServerTellsItsVersion(t *testing.T) {
	redistest.Products(t, func(t *testing.T, product string) {
		s := redistest.Start(t, product, redistest.Config{})
		ca := filepath.Join(t.TempDir(), "ca.pem")
		if err := os.WriteFile(ca, s.CA, 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv("ROTOR_TEST_REDIS_CA", ca)
		text, err := json.Marshal(map[string]any{"engine": product, "host": s.Host, "port": s.Port, "username": s.AdminUser, "password": s.AdminPassword})
		if err != nil {
			t.Fatal(err)
		}
		found, err := redistest.Existing(string(text))
		if err != nil {
			t.Fatal(err)
		}
		if found.Version != s.Version || !strings.HasPrefix(found.Title, s.Title+" at ") {
			t.Errorf("it is %q, %q, and %q, %q", s.Title, s.Version, found.Title, found.Version)
		}
	})
}
