//go:build unix

package servertest

import (
	"errors"
	"fmt"
	"syscall"
)

// deafPort takes a port of every IPv4 address, and does not listen on it: whoever connects is
// refused, and no other process gets the port before release.
func deafPort() (port int, release func() error, err error) {
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		return 0, nil, fmt.Errorf("taking a port: %w", err)
	}
	release = func() error { return syscall.Close(socket) }
	syscall.CloseOnExec(socket)
	err = syscall.Bind(socket, &syscall.SockaddrInet4{})
	if err == nil {
		var at syscall.Sockaddr
		if at, err = syscall.Getsockname(socket); err == nil {
			return at.(*syscall.SockaddrInet4).Port, release, nil
		}
	}
	return 0, nil, errors.Join(fmt.Errorf("taking a port: %w", err), release())
}
