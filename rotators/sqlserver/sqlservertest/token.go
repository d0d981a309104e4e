package sqlservertest

import (
	"encoding/binary"
	"unicode/utf16"
)

// Tokens of replies.
// Source: MS-TDS 2.2.7.
const (
	tokenColumns     = 0x81
	tokenError       = 0xAA
	tokenLoginAck    = 0xAD
	tokenRow         = 0xD1
	tokenEnvironment = 0xE3
	tokenDone        = 0xFD
	tokenDoneProc    = 0xFE

	doneError     = 0x2
	doneCount     = 0x10
	doneAttention = 0x20

	changeDatabase = 1
	changeRouting  = 20

	typeNVarChar = 0xE7
)

// collation is SQL_Latin1_General_CP1_CI_AS.
var collation = []byte{0x09, 0x04, 0xD0, 0x00, 0x34}

// A reply is a message under construction.
type reply struct{ b []byte }

func (r *reply) u16(n int)     { r.b = binary.LittleEndian.AppendUint16(r.b, uint16(n)) }
func (r *reply) u32(n int)     { r.b = binary.LittleEndian.AppendUint32(r.b, uint32(n)) }
func (r *reply) raw(b ...byte) { r.b = append(r.b, b...) }

// short writes a text with its length in one byte, long in two.
func (r *reply) short(text string) {
	u := utf16Bytes(text)
	r.raw(byte(len(u) / 2))
	r.raw(u...)
}

func (r *reply) long(text string) {
	u := utf16Bytes(text)
	r.u16(len(u) / 2)
	r.raw(u...)
}

// token writes a token whose length goes before its body.
func (r *reply) token(kind byte, body reply) {
	r.raw(kind)
	r.u16(len(body.b))
	r.raw(body.b...)
}

func (r *reply) failure(e *sqlError) {
	var body reply
	body.u32(int(e.number))
	body.raw(1, e.class)
	body.long(e.message)
	body.short("rotor")
	body.short("")
	body.u32(1)
	r.token(tokenError, body)
}

func (r *reply) done(kind byte, status, count int) {
	r.raw(kind)
	r.u16(status)
	r.u16(0)
	r.u32(count)
	r.u32(0)
}

// inDatabase tells the client which database the session is in now.
func (r *reply) inDatabase(now, before string) {
	var body reply
	body.raw(changeDatabase)
	body.short(now)
	body.short(before)
	r.token(tokenEnvironment, body)
}

// routing sends the client on to another server.
func (r *reply) routing(host string, port int) {
	var to, body reply
	to.raw(0)
	to.u16(port)
	to.long(host)
	body.raw(changeRouting)
	body.u16(len(to.b))
	body.raw(to.b...)
	body.u16(0)
	r.token(tokenEnvironment, body)
}

func (r *reply) welcome() {
	var body reply
	body.raw(1, 0x74, 0, 0, 4)
	body.short("Microsoft SQL Server")
	body.raw(16, 0, 0x10, 0)
	r.token(tokenLoginAck, body)
}

// rows writes a result whose columns are all nvarchar(4000).
func (r *reply) rows(columns int, all [][]value) {
	r.raw(tokenColumns)
	r.u16(columns)
	for range columns {
		r.u32(0)
		r.u16(1) // may be NULL
		r.raw(typeNVarChar)
		r.u16(8000)
		r.raw(collation...)
		r.short("")
	}
	for _, row := range all {
		r.raw(tokenRow)
		for _, v := range row {
			if v == nil {
				r.u16(0xFFFF)
				continue
			}
			u := utf16Bytes(*v)
			r.u16(len(u))
			r.raw(u...)
		}
	}
}

// A value is one of a row; nil is NULL.
type value *string

func text(s string) value { return &s }

func bit(b bool) value {
	if b {
		return text("1")
	}
	return text("0")
}

func utf16Bytes(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

func utf16Text(b []byte) string {
	u := make([]uint16, len(b)/2)
	for i := range u {
		u[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(u))
}
