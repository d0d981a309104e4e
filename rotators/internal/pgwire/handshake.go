package pgwire

import (
	"bytes"
	"encoding/binary"
	"io"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// MostIterations is how much work of SCRAM is done for a server, at a login and
// for a new password: about half a second of a small function's. Users can ask
// for any amount (scram_iterations), and the client library would do it without
// looking at the time.
const MostIterations = 1_000_000

// A Handshake is what a server asks for when a session logs in.
type Handshake struct {
	// SCRAM says that the password was proven by SCRAM-SHA-256.
	SCRAM bool

	pending []byte // of a message that has not come whole
	over    bool
}

// Watch lets a handshake see what the server of cfg's connection says. The
// connection fails where the server asks for more work than MostIterations.
func Watch(cfg *pgx.ConnConfig) *Handshake {
	h := &Handshake{}
	cfg.BuildFrontend = func(r io.Reader, w io.Writer) *pgproto3.Frontend {
		return pgproto3.NewFrontend(io.TeeReader(r, h), w)
	}
	return h
}

// The kinds of an authentication request.
// Source: PostgreSQL manual, "Message Formats", Authentication*.
const (
	authenticationOK  = 0
	saslContinue      = 11
	saslFinal         = 12
	authenticationTag = 'R'
	headerSize        = 5 // the tag, and the length of itself and what follows
)

// Write implements io.Writer.
func (h *Handshake) Write(p []byte) (int, error) {
	if h.over {
		return len(p), nil
	}
	h.pending = append(h.pending, p...)
	for len(h.pending) >= headerSize && !h.over {
		size := 1 + int(binary.BigEndian.Uint32(h.pending[1:]))
		if size < headerSize || size > 1<<16 {
			h.over = true // the client library will say what is wrong
			break
		}
		if len(h.pending) < size {
			return len(p), nil
		}
		tag, body := h.pending[0], h.pending[headerSize:size]
		h.pending = h.pending[size:]
		if err := h.message(tag, body); err != nil {
			return 0, err
		}
	}
	if h.over {
		h.pending = nil
	}
	return len(p), nil
}

func (h *Handshake) message(tag byte, body []byte) error {
	if tag != authenticationTag || len(body) < 4 {
		return nil
	}
	switch kind := binary.BigEndian.Uint32(body); kind {
	case authenticationOK:
		h.over = true
	case saslFinal:
		h.SCRAM = true
	case saslContinue:
		for part := range bytes.SplitSeq(body[4:], []byte(",")) { // RFC 5802, section 5.1
			n, err := strconv.Atoi(string(bytes.TrimPrefix(part, []byte("i="))))
			if bytes.HasPrefix(part, []byte("i=")) && (err != nil || n > MostIterations) {
				return rotation.Fail(rotation.Timeout, "the login takes %s rounds of SCRAM, and %d are the most that are computed", part[2:], MostIterations).
					With("Lower scram_iterations, and set the user's password again.")
			}
		}
	}
	return nil
}
