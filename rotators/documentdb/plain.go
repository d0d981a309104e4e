package documentdb

import (
	"context"
	"encoding/binary"
	"io"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// answersPlain reports whether a server answers to a hello in plain text, which
// tells one without TLS from one that hung up for another reason. Nothing of the
// login is sent.
// Source: MongoDB wire protocol, OP_MSG.
func (d *dialer) answersPlain(ctx context.Context, network, address string) bool {
	conn, err := d.login.DialContext(ctx, network, address)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	body, err := bson.Marshal(bson.D{{Key: "isMaster", Value: 1}, {Key: "$db", Value: "admin"}})
	if err != nil {
		return false
	}
	const header, flagsAndKind, opMsg = 16, 5, 2013
	message := make([]byte, header+flagsAndKind, header+flagsAndKind+len(body))
	binary.LittleEndian.PutUint32(message, uint32(cap(message)))
	binary.LittleEndian.PutUint32(message[4:], 1)
	binary.LittleEndian.PutUint32(message[12:], opMsg)
	if _, err := conn.Write(append(message, body...)); err != nil {
		return false
	}
	reply := make([]byte, header)
	_, err = io.ReadFull(conn, reply)
	return err == nil && binary.LittleEndian.Uint32(reply[8:]) == 1 && binary.LittleEndian.Uint32(reply[12:]) == opMsg
}
