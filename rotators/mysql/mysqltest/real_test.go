package mysqltest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed492efc12/rotor/framework/local/localtls"
)

func TestARealServerCountsLoginsAndHasNoOpenAccount(t *testing.T) {
	Real(t, func(t *testing.T, s *Server) {
		mark := s.Mark()
		db, err := s.Admin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		var cipher, open string
		if err := db.QueryRow("SHOW STATUS LIKE 'Ssl_cipher'").Scan(new(string), &cipher); err != nil || cipher == "" {
			t.Errorf("the session is not encrypted: %q, %v", cipher, err)
		}
		if err := db.QueryRow("SELECT IFNULL(GROUP_CONCAT(User), '') FROM mysql.user WHERE is_role = 'N' AND authentication_string = '' AND User NOT IN ('mariadb.sys')").Scan(&open); err != nil || open != "" {
			t.Errorf("accounts without a password: %q, %v", open, err)
		}
		if _, err := s.Connect(t.Context(), s.AdminUser, "wrong", ""); err == nil || !strings.Contains(err.Error(), "1045") {
			t.Errorf("a wrong password: %v", err)
		}
		if a, r := s.LoginsSince(mark); a != 1 || r != 1 {
			t.Errorf("%d logins and %d refused, want 1 and 1", a, r)
		}
		if !strings.Contains(s.LogSince(mark), "SHOW STATUS LIKE") {
			t.Error("a statement is not in the log")
		}
		t.Log(s.Name())
	})
}

func TestAServerIsAsConfigured(t *testing.T) {
	i := needMariaDB(t)
	for name, c := range map[string]struct {
		config Config
		query  string
		want   string // or the error
	}{
		"plain text":         {Config{NoTLS: true}, "SELECT @@have_ssl", "DISABLED"},
		"a setting":          {Config{Settings: map[string]string{"max-connections": "17"}}, "SELECT @@max_connections", "17"},
		"an old certificate": {Config{Certificate: localtls.Expired}, "SELECT 1", "expired"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := i.Start(c.config)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}()
			var got string
			db, err := s.Admin(t.Context())
			if err == nil {
				defer db.Close()
				err = db.QueryRow(c.query).Scan(&got)
			}
			if got != c.want && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

// The child of this test is killed and leaves nothing behind.
func TestAServerEndsWithItsProcess(t *testing.T) {
	i := needMariaDB(t)
	if os.Getenv("MYSQLTEST_CHILD") != "" {
		s, err := i.Start(Config{})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = os.Stdout.WriteString("ready " + s.Name() + "\n")
		time.Sleep(time.Minute)
		return
	}
	folder := t.TempDir()
	for dir := folder; dir != "/tmp" && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(folder, 0o777|os.ModeSticky); err != nil { // as /tmp is: another user removes the files
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run", "^TestAServerEndsWithItsProcess$")
	cmd.Env = append(os.Environ(), "MYSQLTEST_CHILD=1", "TMPDIR="+folder)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 5)
	if _, err := out.Read(b); err != nil || string(b) != "ready" {
		t.Fatalf("%q, %v", b, err)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		left, err := filepath.Glob(filepath.Join(folder, "*"))
		if err != nil || len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("left behind: %v", left)
		}
	}
}

// needMariaDB finds it. Without one the test is skipped, or fails where servers
// are required.
func needMariaDB(t *testing.T) Installation {
	t.Helper()
	i, ok := Find()
	if !ok && os.Getenv("ROTOR_REQUIRE_SERVERS") == "1" {
		t.Fatal("no MariaDB here")
	}
	if !ok {
		t.Skip("no MariaDB here")
	}
	return i
}
