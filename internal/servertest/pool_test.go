package servertest

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/internal/install"
)

func imitation(halted *int) func() (*Server, error) {
	return func() (*Server, error) {
		return &Server{Title: "Nothing 1", Halt: func() error { *halted++; return nil }}, nil
	}
}

func TestASharedServerIsStartedOnceAndEndedOnce(t *testing.T) {
	pool, started, halted := NewPool[*Server]("servertest"), 0, 0
	start := imitation(&halted)
	sources := []Source[*Server]{{Name: "Nothing1", Start: func() (*Server, error) { started++; return start() }}}
	for range 2 {
		pool.Each(t, sources, func(*testing.T, *Server) {})
	}
	if err := errors.Join(pool.Close(), pool.Close()); err != nil || started != 1 || halted != 1 {
		t.Errorf("started %d times, ended %d times, %v", started, halted, err)
	}
}

func TestAnnouncementsTellRealServersFromImitations(t *testing.T) {
	for _, c := range []struct {
		s    *Server
		want string
	}{
		{&Server{Title: "MySQL 8.0.33", Real: true}, `SERVER real "MySQL 8.0.33"`},
		{&Server{Title: "MySQL 5.7.44"}, `SERVER imitation "MySQL 5.7.44"`},
	} {
		if got := c.s.Announcement(); got != c.want {
			t.Errorf("got %s", got)
		}
	}
}

// absent makes the next two tests do something: it is set by the one after them.
const absent = "ROTOR_SERVERTEST_ABSENT"

func TestWhatIsMissing(t *testing.T) {
	if os.Getenv(absent) == "" {
		return
	}
	pool := NewPool[*Server]("servertest")
	pool.Each(t, []Source[*Server]{{Name: "Nothing2", Missing: "Nothing 2"}}, func(t *testing.T, _ *Server) { t.Error("it ran") })
}

func TestWhatNeedsAServer(t *testing.T) {
	if os.Getenv(absent) != "" {
		Absent(t, "Nothing 2")
		t.Error("it goes on without")
	}
}

// The next test runs the two above in a process of its own.
func TestMissingServersFailOnlyIfTheyAreRequired(t *testing.T) {
	for _, test := range []string{"TestWhatIsMissing", "TestWhatNeedsAServer"} {
		for required, fails := range map[string]bool{"": false, "1": true} {
			cmd := exec.Command(os.Args[0], "-test.v", "-test.run=^"+test+"$")
			cmd.Env = append(os.Environ(), absent+"=1", "ROTOR_REQUIRE_SERVERS="+required)
			out, err := cmd.CombinedOutput()
			if (err != nil) != fails || !strings.Contains(string(out), `MISSING "Nothing 2"`) || strings.Contains(string(out), "it goes on") {
				t.Errorf("%s, ROTOR_REQUIRE_SERVERS=%q: %v\n%s", test, required, err, out)
			}
		}
	}
}

func TestTheServersThatAreChosen(t *testing.T) {
	for list, want := range map[string]string{
		"":                    "MySQL8.0 MySQL9.7",
		"mysql":               "MySQL8.0 MySQL9.7",
		"mysql-9.7, postgres": "MySQL9.7",
		"postgres":            "",
		"newest":              "MySQL9.7",
		"ends":                "MySQL8.0 MySQL9.7",
		"newest mysql-8.0":    "MySQL8.0 MySQL9.7",
	} {
		t.Setenv("ROTOR_TEST_SERVERS", list)
		var names []string
		for _, s := range Installed("mysql", func(install.Server) (*Server, error) { return nil, nil }) {
			names = append(names, s.Name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%q: got %q", list, got)
		}
	}
	for _, list := range []string{"mysql-1.0", "oracel"} {
		t.Run(list, func(t *testing.T) {
			t.Setenv("ROTOR_TEST_SERVERS", list)
			defer func() {
				if recover() == nil {
					t.Error("nothing would be tested, and nobody would know")
				}
			}()
			Installed("mysql", func(install.Server) (*Server, error) { return nil, nil })
		})
	}
}
