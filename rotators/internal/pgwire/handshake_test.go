package pgwire

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// message is one of the server's, as it comes.
func message(tag byte, kind uint32, text string) []byte {
	m := binary.BigEndian.AppendUint32([]byte{tag}, uint32(8+len(text)))
	return append(binary.BigEndian.AppendUint32(m, kind), text...)
}

func TestAHandshakeSeesHowThePasswordIsProven(t *testing.T) {
	scram := append(message('R', 10, "SCRAM-SHA-256\x00\x00"), message('R', saslContinue, "r=abc,s=c2FsdA==,i=4096")...)
	scram = append(append(scram, message('R', saslFinal, "v=abc")...), message('R', authenticationOK, "")...)
	hashed := append(message('R', 5, "salt"), message('R', authenticationOK, "")...)
	late := append(append([]byte{}, hashed...), message('R', saslFinal, "v=abc")...)
	for name, c := range map[string]struct {
		said  []byte
		scram bool
	}{"SCRAM": {scram, true}, "MD5": {hashed, false}, "after the login": {late, false}, "nonsense": {[]byte("R\x00\x00\x00\x00 and more"), false}} {
		for _, size := range []int{1, 3, len(c.said)} { // as the network cuts it
			var h Handshake
			for rest := c.said; len(rest) > 0; rest = rest[min(size, len(rest)):] {
				if n, err := h.Write(rest[:min(size, len(rest))]); err != nil || n != min(size, len(rest)) {
					t.Fatalf("%s: %d, %v", name, n, err)
				}
			}
			if h.SCRAM != c.scram || !h.over || h.pending != nil {
				t.Errorf("%s in pieces of %d: %+v", name, size, h)
			}
		}
	}
}

func TestAHandshakeEndsWhereTheWorkIsTooMuch(t *testing.T) {
	for rounds, ok := range map[string]bool{"4096": true, "1000000": true, "1000001": false, "30000000": false, "99999999999999999999": false, "": false} {
		var h Handshake
		_, err := h.Write(message('R', saslContinue, "r=abc,s=c2FsdA==,i="+rounds))
		var f *rotation.Fault
		if (err == nil) != ok || err != nil && (!errors.As(err, &f) || f.Class != rotation.Timeout) {
			t.Errorf("%s rounds: %v", rounds, err)
		}
	}
}
