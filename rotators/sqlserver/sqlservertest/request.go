package sqlservertest

import (
	"encoding/binary"
	"strings"
)

// A cursor reads a client's message. Reading past its end is remembered.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) take(n int) []byte {
	if n < 0 || n > len(c.b) {
		c.bad, c.b = true, nil
		return make([]byte, max(n, 0)%64)
	}
	taken := c.b[:n]
	c.b = c.b[n:]
	return taken
}

func (c *cursor) byte() int { return number(c.take(1)) }
func (c *cursor) u16() int  { return number(c.take(2)) }
func (c *cursor) u32() int  { return number(c.take(4)) }

func number(b []byte) (n int) {
	for i, x := range b {
		n |= int(x) << (8 * i)
	}
	return n
}

// A request is a batch or a call of sp_executesql with its arguments.
type request struct {
	source    string
	arguments map[string]string // by name, with its @
	rpc       bool
}

// readRequest reads what follows the headers of a message.
func readRequest(kind byte, body []byte) (request, error) {
	if len(body) < 4 || int(binary.LittleEndian.Uint32(body)) > len(body) {
		return request{}, errMalformed
	}
	body = body[binary.LittleEndian.Uint32(body):]
	switch kind {
	case packetBatch:
		return request{source: utf16Text(body)}, nil
	case packetRPC:
		return readRPC(&cursor{b: body})
	}
	return request{}, raise(50000, "the wire-level server does not know packets of type %d", kind)
}

// readRPC reads a call of sp_executesql, which is procedure 10.
// Source: MS-TDS 2.2.6.6.
func readRPC(c *cursor) (request, error) {
	r := request{rpc: true, arguments: map[string]string{}}
	if c.u16() != 0xFFFF || c.u16() != 10 {
		return r, raise(2812, "Could not find stored procedure: the wire-level server has sp_executesql alone.")
	}
	c.u16()
	for i := 0; len(c.b) > 0; i++ {
		name := utf16Text(c.take(2 * c.byte()))
		c.byte()
		value, err := readArgument(c)
		if err != nil {
			return r, err
		}
		switch {
		case i == 0:
			r.source = value
		case i > 1:
			r.arguments[strings.ToLower(name)] = value
		}
	}
	if c.bad {
		return r, errMalformed
	}
	return r, nil
}

// readArgument reads an nvarchar, which is all that the rotator sends.
func readArgument(c *cursor) (string, error) {
	if kind := c.byte(); kind != typeNVarChar {
		return "", raise(50000, "the wire-level server does not know arguments of type %#x", kind)
	}
	size := c.u16()
	c.take(len(collation))
	if size != 0xFFFF {
		n := c.u16()
		if n == 0xFFFF {
			return "", nil
		}
		return utf16Text(c.take(n)), nil
	}
	c.take(8)
	var all []byte
	for {
		n := c.u32()
		if n == 0 || c.bad {
			return utf16Text(all), nil
		}
		all = append(all, c.take(n)...)
	}
}
