// Package servertest is what the test servers of all engines have in common:
// how a real server is started and ended, what a test may ask of any server,
// and how the tests of one binary share servers.
//
// An engine's own package (rotators/<engine>/<engine>test) says where its
// servers are found, how one starts, how its log counts logins, and how a part
// of a server is set aside for one test. Everything else is here:
//
//	type Server struct {
//		servertest.Server
//		...
//	}
//
//	var servers = servertest.NewPool[*Server]("mysqltest")
//
//	func Main(m *testing.M) { servers.Main(m) }
//
// A real server is somebody else's software: what it says is evidence. An
// imitation is code of ours, and shows only that our code agrees with our
// reading of a manual. [Server.Real] tells them apart, and each test that is
// given a server logs which it is, so that a summary can say what was proven on
// what.
//
// A server that is started here is ours ([Server.Ours]): it listens on a free
// port of the loopback interface, its files are in a temporary folder, and it
// ends with the process that started it, however that ends. On a server that
// somebody else runs, a test makes nothing but names of its own, and changes
// nothing for all.
package servertest

import (
	"github.com/seed492efc12/rotor/local/localtls"
)

// Host is where servers that are started here listen.
const Host = "127.0.0.1"

// TLS is how a server stands to encryption.
type TLS int

// The zero value is what most tests want.
const (
	TLSRequired TLS = iota // a client without TLS is refused, where the server can do that
	TLSOptional            // both are taken
	TLSOff                 // the server has none
)

// Options is how a server is to be, whatever its engine. The zero value is what
// most tests want.
type Options struct {
	TLS TLS
	// Certificate is what is wrong with the server's certificate.
	Certificate localtls.Fault
	// Settings are the engine's own, as its configuration file has them.
	// Imitations ignore them.
	Settings map[string]string
}

// IsZero says whether any server at all would do.
func (o Options) IsZero() bool {
	return o.TLS == TLSRequired && o.Certificate == localtls.NoFault && len(o.Settings) == 0
}

// NoTLS is a server without TLS.
func NoTLS() Options { return Options{TLS: TLSOff} }

// Faulty is a server whose certificate has a fault.
func Faulty(fault localtls.Fault) Options { return Options{Certificate: fault} }
