package postgrestest

import (
	"crypto/md5"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"

	"github.com/xdg-go/scram"
)

// PostgreSQL keeps passwords as verifiers (pg_authid.rolpassword; see the manual's section 52.8).

// iterations is the default of scram_iterations.
const iterations = 4096

var (
	scramForm = regexp.MustCompile(`^SCRAM-SHA-256\$(\d+):([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+):([A-Za-z0-9+/=]+)$`)
	md5Form   = regexp.MustCompile(`^md5[0-9a-f]{32}$`)
)

// verifier is what the server keeps of a password that a statement gives: a verifier as it is, plain text hashed.
func verifier(given, role string, asMD5 bool) string {
	switch {
	case scramForm.MatchString(given), md5Form.MatchString(given):
		return given
	case asMD5:
		return "md5" + md5Hex(given+role)
	}
	return scramVerifier(given)
}

func md5Hex(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

// scramVerifier hashes a password with a new salt. Passwords that SASLprep (RFC 4013) refuses are taken as they are,
// as the real server does.
func scramVerifier(password string) string {
	client, err := scram.SHA256.NewClient("", password, "")
	if err != nil {
		client, err = scram.SHA256.NewClientUnprepped("", password, "")
	}
	salt := make([]byte, 16)
	rand.Read(salt)
	var keys scram.StoredCredentials
	if err == nil {
		keys, err = client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: string(salt), Iters: iterations})
	}
	if err != nil {
		panic(fmt.Sprintf("hashing a password: %v", err)) // no password has cause to fail in the unprepared form
	}
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", iterations, encode(salt), encode(keys.StoredKey), encode(keys.ServerKey))
}

// scramKeys reads a verifier. ok is false when it is none of SCRAM's.
func scramKeys(verifier string) (keys scram.StoredCredentials, ok bool) {
	m := scramForm.FindStringSubmatch(verifier)
	if m == nil {
		return keys, false
	}
	rounds, err := strconv.Atoi(m[1])
	if err != nil {
		return keys, false
	}
	var parts [3][]byte
	for i := range parts {
		if parts[i], err = base64.StdEncoding.DecodeString(m[i+2]); err != nil {
			return keys, false
		}
	}
	return scram.StoredCredentials{
		KeyFactors: scram.KeyFactors{Salt: string(parts[0]), Iters: rounds},
		StoredKey:  parts[1],
		ServerKey:  parts[2],
	}, true
}
