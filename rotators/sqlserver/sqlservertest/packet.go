package sqlservertest

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
)

// Types of packets.
// Source: MS-TDS 2.2.3.1.1.
const (
	packetBatch     = 1
	packetRPC       = 3
	packetReply     = 4
	packetAttention = 6
	packetManager   = 14
	packetLogin     = 16
	packetPrelogin  = 18
)

const (
	headerSize  = 8
	packetSize  = 4096
	maxMessage  = 1 << 20
	statusFinal = 1
)

var errMalformed = errors.New("the client's message is malformed")

// readMessage reads packets up to the last one of a message.
func readMessage(r io.Reader) (kind byte, body []byte, err error) {
	var header [headerSize]byte
	for {
		if _, err := io.ReadFull(r, header[:]); err != nil {
			return 0, nil, err
		}
		n := int(binary.BigEndian.Uint16(header[2:])) - headerSize
		if n < 0 || len(body)+n > maxMessage {
			return 0, nil, errMalformed
		}
		part := make([]byte, n)
		if _, err := io.ReadFull(r, part); err != nil {
			return 0, nil, err
		}
		body = append(body, part...)
		if header[1]&statusFinal != 0 {
			return header[0], body, nil
		}
	}
}

// writeMessage writes a message as packets.
func writeMessage(w io.Writer, kind byte, body []byte) error {
	for id := byte(1); ; id++ {
		n := min(len(body), packetSize-headerSize)
		packet := make([]byte, headerSize, headerSize+n)
		packet[0], packet[6] = kind, id
		if n == len(body) {
			packet[1] = statusFinal
		}
		binary.BigEndian.PutUint16(packet[2:], uint16(headerSize+n))
		if _, err := w.Write(append(packet, body[:n]...)); err != nil {
			return err
		}
		if body = body[n:]; len(body) == 0 {
			return nil
		}
	}
}

// A handshakeConn carries the records of a TLS handshake inside messages: one
// for each flight. Once raw, it is the connection itself.
type handshakeConn struct {
	net.Conn
	raw     bool
	in, out []byte
}

// Read implements net.Conn.
func (h *handshakeConn) Read(b []byte) (int, error) {
	if h.raw {
		return h.Conn.Read(b)
	}
	if err := h.flush(); err != nil {
		return 0, err
	}
	if len(h.in) == 0 {
		_, body, err := readMessage(h.Conn)
		if err != nil {
			return 0, err
		}
		h.in = body
	}
	n := copy(b, h.in)
	h.in = h.in[n:]
	return n, nil
}

// Write implements net.Conn.
func (h *handshakeConn) Write(b []byte) (int, error) {
	if h.raw {
		return h.Conn.Write(b)
	}
	h.out = append(h.out, b...)
	return len(b), nil
}

func (h *handshakeConn) flush() error {
	if len(h.out) == 0 {
		return nil
	}
	flight := h.out
	h.out = nil
	return writeMessage(h.Conn, packetPrelogin, flight)
}
