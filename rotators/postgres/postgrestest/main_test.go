package postgrestest

import (
	"fmt"
	"os"
	"testing"
)

// holdServer makes this test binary start a server, say where, and wait to be killed.
const holdServer = "ROTOR_POSTGRESTEST_HOLD_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(holdServer) == "" {
		Main(m)
	}
	installed := Installations()
	s, err := installed[len(installed)-1].Start(Config{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(s.Port)
	select {}
}

// each runs a test on the newest real server, if there is one, and on the wire-level one. Real servers with nothing
// special about them are shared.
func each(t *testing.T, config Config, test func(t *testing.T, s *Server)) {
	t.Helper()
	starts := map[string]func(Config) (*Server, error){"wire-level": StartWire}
	if installed := Installations(); len(installed) > 0 {
		starts["real"] = installed[len(installed)-1].Start
	}
	for name, start := range starts {
		t.Run(name, func(t *testing.T) {
			if name == "real" && config.isZero() {
				test(t, sharedNewest(t))
				return
			}
			test(t, startForTest(t, config, start))
		})
	}
}

func sharedNewest(t *testing.T) *Server {
	t.Helper()
	installed := shared.installed()
	s, err := shared.real(installed[len(installed)-1]).start()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func startForTest(t *testing.T, config Config, start func(Config) (*Server, error)) *Server {
	t.Helper()
	s, err := start(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
