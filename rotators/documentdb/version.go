package documentdb

import (
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// oldest is the wire version of DocumentDB 3.6 and of MongoDB 3.6, which brought
// the messages that the client library sends (OP_MSG).
const oldest = 6

// The client library refuses whoever says less than 9, MongoDB 4.4: its makers test
// with nothing older. DocumentDB 4.0 says 7 and 3.6 says 6, and AWS supports both
// (developer guide, "Amazon DocumentDB engine version support dates"). What a session
// of Rotor's sends, logins and commands about users, they know, and the library asks
// for the version of a server still, before it sends what is newer. The range is a
// variable of its. It is widened here, before there is any client that reads it.
func init() { topology.SupportedWireVersions.Min = oldest }

// met ends the attempt to connect if a server speaks no protocol that this function
// does. The library calls it before it lets anybody use that server.
func (d *dialer) met(e *event.ServerDescriptionChangedEvent) {
	s := e.NewDescription
	if s.MaxWireVersion == 0 {
		return // it has not answered
	}
	if err := protocol(e.Address.String(), s.MinWireVersion, s.MaxWireVersion); err != nil {
		d.end(err)
	}
}

// protocol is an error if a server's lowest and highest wire version are not for
// this function.
func protocol(address string, lowest, highest int32) error {
	ours := topology.SupportedWireVersions
	switch {
	case highest < ours.Min:
		return rotation.Fail(rotation.Unsupported, "%s is too old: it knows the protocol up to wire version %d, and this function from %d on", address, highest, ours.Min).With(remedyOld)
	case lowest > ours.Max:
		return rotation.Fail(rotation.Unsupported, "%s is too new: it knows the protocol from wire version %d on, and this function up to %d", address, lowest, ours.Max).With(remedyNew)
	}
	return nil
}

const (
	remedyOld = "Upgrade the server: MongoDB 3.6 is the oldest that this function can speak to."
	remedyNew = "Deploy a newer version of Rotor: the client library of this one does not know the server's protocol."
)
