// Package documentdbtest provides MongoDB servers to test against and to demonstrate with, and an imitation of Amazon
// DocumentDB.
//
// Tests use [Each], which runs a subtest on real MongoDB servers, alone and as a replica set of three, and on the
// imitation, with servers shared by the test binary:
//
//	func TestMain(m *testing.M) { documentdbtest.Main(m) }
//
//	func TestSomething(t *testing.T) {
//		documentdbtest.Each(t, func(t *testing.T, s *documentdbtest.Server) { ... })
//	}
//
// What needs a server of its own, which it may configure, takes [Start].
//
// The real servers listen on the loopback interface, with TLS that a client can verify. The members of a replica set
// trust each other by a key file. They log every command and every login; MongoDB leaves passwords out. They end with
// the process that started them, whichever way that ends, and leave no files behind.
//
// The imitation ([StartWire]) is a server of ours that speaks MongoDB's wire protocol to the real client library, with
// TLS, SCRAM, privileges that are enforced, and error codes. It stands in for DocumentDB, which cannot be had, alone
// or as a cluster behind one endpoint: 5.0 with the minor version 5.0.1 or later, and, for their wire versions, 4.0 and 3.6.
//
// It has some 1200 lines, and knows no statement of Rotor's. It keeps users, roles and collections, and answers nineteen
// commands about them by what they say: the fields of each are read and checked, and so are the privileges of who sends
// it. Nothing is answered because of who asks, of a comment, or of what was asked before.
//
// An agreement test in rotators/documentdb holds it to a real MongoDB 5.0, which is what DocumentDB 5.0 claims to be: where
// they differ, DocumentDB's manual says so, or somebody who has told in public what a cluster answered. It is strict where
// both are silent: a field that is not documented (showPrivileges, authenticationRestrictions, customData, writeConcern on
// commands for users) and an action that is not (changeOwnPassword) it refuses, so that a client that passes here
// relies on none of it.
//
// Environment:
//
//	ROTOR_TEST_DOCUMENTDB  a server to test instead: a secret's JSON with a user who has the role root, such as
//	                       {"engine":"documentdb","host":"...","port":27017,"username":"...","password":"...","caFile":"global-bundle.pem"}
//	                       with replicaSet, authSource and "ssl":"false" as in the secrets that are rotated. What needs
//	                       the server's log, a fail-over or a fault skips there, and says so.
//	ROTOR_TEST_SERVERS     the servers that Each runs, such as "mongodb-6.0"; all when unset
//	ROTOR_REQUIRE_SERVERS  "1" makes a missing server a failure
package documentdbtest

import (
	"errors"
	"os"

	"github.com/seed492efc12/rotor/internal/install"
	"github.com/seed492efc12/rotor/internal/servertest"
)

// Config is what a server is started with. The zero value is what most tests want.
type Config struct {
	// Options.Settings are those of mongod's configuration file, with the dots of its manual:
	// "net.maxIncomingConnections", "setParameter.enableTestCommands".
	servertest.Options
	// ReplicaSet starts three members. A client of MongoDB looks for their primary; the imitation has an endpoint that
	// leads to it.
	ReplicaSet bool
	// Version is that of the imitation: "3.6", "4.0" or, if it is empty, "5.0".
	Version string
	// Wire is the lowest and the highest wire version that the imitation says, in place of its version's.
	Wire [2]int32
}

// Best starts the newest MongoDB of this machine, alone, or takes the server that ROTOR_TEST_DOCUMENTDB names. The error
// is [ErrNone] where there is none.
func Best() (*Server, error) {
	if text := os.Getenv("ROTOR_TEST_DOCUMENTDB"); text != "" {
		return Existing(text)
	}
	newest, ok := servertest.Newest(installed(Config{}))
	if !ok {
		return nil, ErrNone
	}
	return newest.Start()
}

// installed are the real servers, each to be started with a configuration.
func installed(c Config) []source {
	return servertest.Installed("mongodb", func(i install.Server) (*Server, error) { return start(i, c) })
}

// ErrNone says that there is no MongoDB on this machine.
var ErrNone = errors.New("there is no MongoDB on this machine (make servers brings it)")
