package servertest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/seed492efc12/rotor/local/localtls"
)

// WriteFile puts a file into a server's folder that the server alone may read.
func WriteFile(folder, name, content string) error {
	path := filepath.Join(folder, name)
	return errors.Join(os.WriteFile(path, []byte(content), 0o600), giveAway(path))
}

// HandOver makes a file or folder belong to the user that servers run as.
func HandOver(path string) error { return giveAway(path) }

// freePort asks the kernel for a port of Host that nobody listens on. Another
// process may take it before the server does.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", Host+":0")
	if err != nil {
		return 0, fmt.Errorf("looking for a free port: %w", err)
	}
	return listener.Addr().(*net.TCPAddr).Port, listener.Close()
}

// newFolder makes the folder that a server lives in, with files that are there
// before it starts. The user that the server runs as owns all of it.
func newFolder(name string, files map[string]string) (folder string, err error) {
	if folder, err = os.MkdirTemp("", "rotor-"+name+"-"); err != nil {
		return "", err
	}
	errs := []error{giveAway(folder)}
	for name, content := range files {
		errs = append(errs, WriteFile(folder, name, content))
	}
	if err := errors.Join(errs...); err != nil {
		return "", errors.Join(err, os.RemoveAll(folder))
	}
	return folder, nil
}

// Names of the files that [Certificate] makes.
const (
	CertFile = "server.crt"
	KeyFile  = "server.key"
)

// Certificate is a throw-away authority, and the files of a certificate of its
// that has the fault, for a server at Host. More hosts may be named.
func Certificate(fault localtls.Fault, hosts ...string) (ca *localtls.CA, files map[string]string, err error) {
	if ca, err = localtls.New(); err != nil {
		return nil, nil, err
	}
	files, err = CertificateOf(ca, fault, hosts...)
	return ca, files, err
}

// CertificateOf is Certificate with an authority that is there already.
func CertificateOf(ca *localtls.CA, fault localtls.Fault, hosts ...string) (files map[string]string, err error) {
	certificate, err := ca.Faulty(fault, append([]string{Host, "localhost"}, hosts...)...)
	if err != nil {
		return nil, err
	}
	return map[string]string{CertFile: string(certificate.CertPEM), KeyFile: string(certificate.KeyPEM)}, nil
}
