package mysqltest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

var little = binary.LittleEndian

// packets are MySQL's frames: three bytes of length, a sequence number, the payload.
// Source: MySQL Internals, "MySQL Packets".
type packets struct {
	conn     net.Conn
	sequence byte
}

func (p *packets) read() ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(p.conn, head[:]); err != nil {
		return nil, err
	}
	size := int(head[0]) | int(head[1])<<8 | int(head[2])<<16
	if size == 1<<24-1 {
		return nil, errors.New("a packet of 16 MB is more than the wire-level server reads")
	}
	p.sequence = head[3] + 1
	payload := make([]byte, size)
	_, err := io.ReadFull(p.conn, payload)
	return payload, err
}

func (p *packets) write(payload []byte) error {
	n := len(payload)
	_, err := p.conn.Write(append([]byte{byte(n), byte(n >> 8), byte(n >> 16), p.sequence}, payload...))
	p.sequence++
	return err
}

// ok is OK_Packet with nothing to tell but autocommit.
func (p *packets) ok() error { return p.write([]byte{0, 0, 0, 2, 0, 0, 0}) }

// A code is an error as the server numbers it.
type code struct {
	number  uint16
	message string
}

func (c *code) Error() string { return fmt.Sprintf("%d %s", c.number, c.message) }

func raise(number uint16, format string, arguments ...any) *code {
	return &code{number, fmt.Sprintf(format, arguments...)}
}

// states are the SQLSTATEs of the codes that have one of their own.
var states = map[uint16]string{1040: "08004", 1044: "42000", 1045: "28000", 1049: "42000", 1064: "42000", 1142: "42000", 1227: "42000", 1698: "28000"}

// fail is ERR_Packet.
func (p *packets) fail(c *code) error {
	state := states[c.number]
	if state == "" {
		state = "HY000"
	}
	payload := little.AppendUint16([]byte{0xff}, c.number)
	return p.write(append(payload, "#"+state+c.message...))
}

// rows is a text result set, in the form without CLIENT_DEPRECATE_EOF, which the server does not offer.
func (p *packets) rows(r *result) error {
	if err := p.write([]byte{byte(len(r.columns))}); err != nil {
		return err
	}
	for _, name := range r.columns {
		var b []byte
		for _, text := range []string{"def", "", "", "", name, name} {
			b = appendText(b, text)
		}
		// utf8mb4_general_ci, length 1024, MYSQL_TYPE_VAR_STRING
		if err := p.write(append(b, 0x0c, 45, 0, 0, 4, 0, 0, 0xfd, 0, 0, 0, 0, 0)); err != nil {
			return err
		}
	}
	end := []byte{0xfe, 0, 0, 2, 0}
	if err := p.write(end); err != nil {
		return err
	}
	for _, row := range r.rows {
		var b []byte
		for _, value := range row {
			b = appendText(b, value)
		}
		if err := p.write(b); err != nil {
			return err
		}
	}
	return p.write(end)
}

// appendText is string<lenenc>.
func appendText(b []byte, text string) []byte {
	switch n := len(text); {
	case n < 251:
		b = append(b, byte(n))
	case n < 1<<16:
		b = append(b, 0xfc, byte(n), byte(n>>8))
	default:
		b = append(b, 0xfd, byte(n), byte(n>>8), byte(n>>16))
	}
	return append(b, text...)
}

// cutText cuts string<NUL>.
func cutText(b []byte) (text string, rest []byte) {
	before, after, _ := strings.Cut(string(b), "\x00")
	return before, []byte(after)
}
