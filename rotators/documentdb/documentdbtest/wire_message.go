package documentdbtest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// The operations of the wire protocol that clients still use.
// Source: MongoDB manual, "MongoDB Wire Protocol".
const (
	opReply = 1
	opQuery = 2004 // the first hello of a connection
	opMsg   = 2013

	headerSize  = 16
	maxMessage  = 48_000_000
	moreToCome  = 1 << 1
	bodySection = 0
	listSection = 1
)

// A message is a command as it came.
type message struct {
	id, operation uint32
	flags         uint32
	command       bson.D
}

var errMessage = errors.New("malformed message")

// readMessage reads one message.
func readMessage(r io.Reader) (message, error) {
	header := make([]byte, headerSize)
	if _, err := io.ReadFull(r, header); err != nil {
		return message{}, err
	}
	size := binary.LittleEndian.Uint32(header)
	if size < headerSize || size > maxMessage {
		return message{}, errMessage
	}
	body := make([]byte, size-headerSize)
	if _, err := io.ReadFull(r, body); err != nil {
		return message{}, err
	}
	m := message{id: binary.LittleEndian.Uint32(header[4:]), operation: binary.LittleEndian.Uint32(header[12:])}
	switch m.operation {
	case opQuery:
		return m, m.query(body)
	case opMsg:
		return m, m.sections(body)
	}
	return m, fmt.Errorf("%w: operation %d", errMessage, m.operation)
}

// query reads an OP_QUERY: flags, the name of a collection, two numbers, the document.
func (m *message) query(body []byte) error {
	if len(body) < 4 {
		return errMessage
	}
	end := bytes.IndexByte(body[4:], 0)
	if end < 0 || len(body) < 4+end+9 {
		return errMessage
	}
	return m.document(body[4+end+9:])
}

// sections reads an OP_MSG: flags, then the command and lists that belong into it.
func (m *message) sections(body []byte) error {
	if len(body) < 4 {
		return errMessage
	}
	m.flags, body = binary.LittleEndian.Uint32(body), body[4:]
	for len(body) > 5 {
		kind := body[0]
		size := int(binary.LittleEndian.Uint32(body[1:]))
		if size < 5 || size > len(body)-1 {
			return errMessage
		}
		section := body[1 : 1+size]
		body = body[1+size:]
		var err error
		switch kind {
		case bodySection:
			err = m.document(section)
		case listSection:
			err = m.list(section[4:])
		default:
			err = errMessage
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (m *message) document(raw []byte) error {
	if err := bson.Unmarshal(raw, &m.command); err != nil || len(m.command) == 0 {
		return errMessage
	}
	return nil
}

// list reads a document sequence: a name and documents.
func (m *message) list(section []byte) error {
	name, rest, ok := bytes.Cut(section, []byte{0})
	if !ok {
		return errMessage
	}
	var all bson.A
	for len(rest) >= 5 {
		size := int(binary.LittleEndian.Uint32(rest))
		if size < 5 || size > len(rest) {
			return errMessage
		}
		var d bson.D
		if err := bson.Unmarshal(rest[:size], &d); err != nil {
			return errMessage
		}
		all, rest = append(all, d), rest[size:]
	}
	m.command = append(m.command, bson.E{Key: string(name), Value: all})
	return nil
}

// reply answers m in the form in which it came.
func (m *message) reply(w io.Writer, answer bson.D) error {
	if m.flags&moreToCome != 0 {
		return nil
	}
	body, err := bson.Marshal(answer)
	if err != nil {
		return err
	}
	out := make([]byte, headerSize+5)
	operation := uint32(opMsg)
	if m.operation == opQuery { // flags, cursor, starting from, number returned
		out = make([]byte, headerSize+20)
		operation = opReply
		binary.LittleEndian.PutUint32(out[headerSize+16:], 1)
	}
	binary.LittleEndian.PutUint32(out[8:], m.id)
	binary.LittleEndian.PutUint32(out[12:], operation)
	out = append(out, body...)
	binary.LittleEndian.PutUint32(out, uint32(len(out)))
	_, err = w.Write(out)
	return err
}

// get is the value of a field, if it is there and of that type.
func get[T any](d bson.D, name string) (v T, ok bool) {
	for _, e := range d {
		if e.Key == name {
			v, ok = e.Value.(T)
			return v, ok
		}
	}
	return v, false
}

// has tells whether a field is there.
func has(d bson.D, name string) bool {
	for _, e := range d {
		if e.Key == name {
			return true
		}
	}
	return false
}
