package documentdbtest

import (
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/xdg-go/scram"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// An account is a user as the server keeps it.
type account struct {
	roles        []identity
	mechanisms   []string
	keys         map[string]scram.StoredCredentials // by mechanism
	customData   any                                // nil if there is none
	restrictions bson.A
}

// hashes are the mechanisms.
func hashes() map[string]scram.HashGeneratorFcn {
	return map[string]scram.HashGeneratorFcn{"SCRAM-SHA-1": scram.SHA1, "SCRAM-SHA-256": scram.SHA256}
}

// iterations is the least that clients accept (RFC 7677): MongoDB has 10000 and 15000, and tests have no time.
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

// secure gives an account a password. Without mechanisms, it can be used with all that the server has, whichever the
// account had before: as MongoDB does it. DocumentDB's default is SCRAM-SHA-1.
func (c *cluster) secure(a *account, name, password string, mechanisms []string) error {
	if len(mechanisms) == 0 {
		mechanisms = []string{"SCRAM-SHA-1", "SCRAM-SHA-256"}
		if c.config.Flavour == DocumentDB {
			mechanisms = mechanisms[:1]
		}
	}
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

// store makes a user, or another one of the same name.
func (c *cluster) store(who identity, password string, mechanisms []string, roles []identity) error {
	a := &account{roles: roles}
	if err := c.secure(a, who.name, password, mechanisms); err != nil {
		return err
	}
	c.users[who] = a
	return nil
}

// acceptable applies the rules for passwords. The code of DocumentDB's refusal is a guess.
func (c *cluster) acceptable(password string) error {
	switch {
	case password == "":
		return badValue("Password cannot be empty")
	case c.config.Flavour == DocumentDB && (len(password) < 8 || len(password) > 100 || strings.ContainsAny(password, `/"@`)):
		return badValue("The password must have 8 to 100 characters, without slash, double quote and at sign")
	}
	return nil
}
