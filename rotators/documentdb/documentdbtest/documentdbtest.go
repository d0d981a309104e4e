// Package documentdbtest provides servers that speak MongoDB's wire protocol, to test against and to demonstrate with.
//
// No MongoDB and no Amazon DocumentDB can be installed where these tests run. What [Best] and [Each] start is a
// wire-level server of this package's own: OP_MSG over TLS, real SCRAM-SHA-1 and SCRAM-SHA-256, users with roles,
// privileges that are enforced, replica sets whose primary moves, error codes. It proves the protocol, the logins, the
// flow and the commands that are sent. It does not prove that a real server takes them: it is what the manuals say,
// as this package's authors read them. Its members share one state, so that there is no replication lag.
//
// There are two flavours. [MongoDB] is MongoDB 7. [DocumentDB] is Amazon DocumentDB 5.0, and strict where its manual is
// silent: what is not documented (showPrivileges, authenticationRestrictions, customData, writeConcern on commands for
// users) it refuses, so that a client that passes here relies on none of it.
//
// ROTOR_TEST_DOCUMENTDB names a real server to test instead: a secret's JSON with a user who has the role root, such as
//
//	{"engine":"documentdb","host":"...","port":27017,"username":"...","password":"...","caFile":"global-bundle.pem"}
//
// with replicaSet, authSource and "ssl":"false" as in the secrets that are rotated. Tests that need the server's log, a
// failover or a fault skip there, and say so.
package documentdbtest

import (
	"fmt"
	"os"

	"github.com/seed492efc12/rotor/framework/local/localtls"
)

// Host is where the servers listen.
const Host = "127.0.0.1"

// A Flavour is the product that a server behaves as.
type Flavour int

// The flavours.
const (
	MongoDB Flavour = iota
	DocumentDB
)

func (f Flavour) String() string {
	if f == DocumentDB {
		return "DocumentDB 5.0"
	}
	return "MongoDB 7.0"
}

// Config is what a server is started with. The zero value is one MongoDB with TLS.
type Config struct {
	Flavour Flavour
	// ReplicaSet starts three members, the first of which is the primary. The server's port is then that of the first
	// member or, in the flavour DocumentDB, that of the cluster endpoint, which leads to whichever is the primary.
	ReplicaSet bool
	// Plain makes a server without TLS.
	Plain bool
	// Certificate is what is wrong with the server's certificate.
	Certificate localtls.Fault
}

// Best starts the best server that can be had: see the package comment. ROTOR_TEST_DOCUMENTDB counts only for the zero
// Config, because somebody else's server cannot be configured.
func Best(config Config) (*Server, error) {
	if text := os.Getenv("ROTOR_TEST_DOCUMENTDB"); text != "" && config == (Config{}) {
		return Existing(text)
	}
	return StartWire(config)
}

// name describes a wire-level server.
func (c Config) name() string {
	kind := "one server"
	if c.ReplicaSet {
		kind = "replica set of three"
	}
	return fmt.Sprintf("wire-level %v, %s", c.Flavour, kind)
}
