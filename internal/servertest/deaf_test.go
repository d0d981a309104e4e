package servertest_test

import (
	"errors"
	"net"
	"strconv"
	"syscall"
	"testing"

	"github.com/seed492efc12/rotor/internal/servertest"
)

func TestADeafPortRefusesAndIsTaken(t *testing.T) {
	address := net.JoinHostPort(servertest.Host, strconv.Itoa(servertest.Deaf(t)))
	if conn, err := net.Dial("tcp", address); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("connecting to it: %v, %v", conn, err)
	}
	if l, err := net.Listen("tcp", address); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("listening on it: %v, %v", l, err)
	}
}
