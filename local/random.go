package local

import (
	"crypto/rand"
	"encoding/hex"
	"math/big"
)

const (
	alphanumeric = lowercase + uppercase + digits
	hexDigits    = "0123456789abcdef"
)

// newUUID makes a random (version 4) UUID.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails: it ends the program instead.
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	text := hex.EncodeToString(b[:])
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}

// pick returns a random byte of alphabet, each equally likely.
func pick(alphabet string) byte {
	return alphabet[below(len(alphabet))]
}

// below returns a random number of 0 to n-1, each equally likely.
func below(n int) int {
	i, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		panic(err) // crypto/rand.Reader never fails, and n is positive.
	}
	return int(i.Int64())
}

func randomText(alphabet string, n int) string {
	text := make([]byte, n)
	for i := range text {
		text[i] = pick(alphabet)
	}
	return string(text)
}
