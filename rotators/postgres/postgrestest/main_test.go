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
	s, err := Best(Config{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(s.Port)
	select {}
}

// on runs a test on the newest server. One with nothing special about it is shared.
func on(t *testing.T, config Config) *Server {
	t.Helper()
	if config.isZero() {
		return Newest(t)
	}
	return Start(t, config)
}
