package documentdbtest

import (
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/xdg-go/scram"
)

// An account is a user as the server keeps it.
type account struct {
	roles      []identity
	mechanisms []string
	keys       map[string]scram.StoredCredentials // by mechanism
}

// hashes are the mechanisms.
func hashes() map[string]scram.HashGeneratorFcn {
	return map[string]scram.HashGeneratorFcn{"SCRAM-SHA-1": scram.SHA1, "SCRAM-SHA-256": scram.SHA256}
}

// iterations is the least that clients accept (RFC 7677): tests have no time.
const iterations = 4096

// derive makes the keys of a password. For SCRAM-SHA-1 MongoDB's clients send a digest in the password's place, and for
// SCRAM-SHA-256 the password after SASLprep.
func derive(name, password, mechanism string) (scram.StoredCredentials, error) {
	var client *scram.Client
	var err error
	if mechanism == "SCRAM-SHA-1" {
		digest := md5.Sum([]byte(name + ":mongo:" + password))
		client, err = scram.SHA1.NewClientUnprepped(name, hex.EncodeToString(digest[:]), "")
	} else {
		client, err = scram.SHA256.NewClient(name, password, "")
	}
	if err != nil {
		return scram.StoredCredentials{}, badValue("the password or the user name cannot be prepared: %v", err)
	}
	return client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: rand.Text(), Iters: iterations})
}

// secure gives an account a password, to be used with the mechanisms.
func secure(a *account, name, password string, mechanisms []string) error {
	keys := map[string]scram.StoredCredentials{}
	for _, m := range mechanisms {
		k, err := derive(name, password, m)
		if err != nil {
			return err
		}
		keys[m] = k
	}
	a.mechanisms, a.keys = slices.Sorted(slices.Values(mechanisms)), keys
	return nil
}

// store makes a user.
func (c *cluster) store(who identity, password string, roles []identity) error {
	a := &account{roles: roles}
	c.users[who] = a
	return secure(a, who.name, password, c.release.usual())
}

// acceptable applies the rules for passwords ("Amazon DocumentDB quotas and limits"). The code of a refusal is a guess.
func acceptable(password string) error {
	if len(password) < 8 || len(password) > 100 || strings.ContainsAny(password, `/"@`) {
		return badValue("The password must have 8 to 100 characters, without slash, double quote and at sign")
	}
	return nil
}
