// Package localserver has what it takes to run a real database server for tests
// and demos: as a user that the server accepts, on a free port, with files that
// it may read and a log that outlives it.
package localserver

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// Host is where servers listen.
const Host = "127.0.0.1"

// Write puts a file into a server's folder that the server alone may read.
func Write(folder, name, content string) error {
	path := filepath.Join(folder, name)
	return errors.Join(os.WriteFile(path, []byte(content), 0o600), GiveAway(path))
}

// FreePort asks the kernel for a port of Host that nobody listens on. Another
// process may take it before the server does.
func FreePort() (int, error) {
	listener, err := net.Listen("tcp", Host+":0")
	if err != nil {
		return 0, fmt.Errorf("looking for a free port: %w", err)
	}
	return listener.Addr().(*net.TCPAddr).Port, listener.Close()
}
