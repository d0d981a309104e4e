package main

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
)

// An account is what a secret says:
//
//	{"host": "keys.example.com", "username": "shop", "key": "..."}
//
// The host may have a port. There is no scheme in it: the service is reached by
// HTTPS or not at all.
type account struct{ host, client, key string }

func readAccount(doc secret.Document) (account, error) {
	a := account{doc.Text("host"), doc.Text("username"), doc.Text("key")}
	if a.host == "" || a.client == "" || a.key == "" {
		return a, rotation.Fail(rotation.BadSecret, `the secret has no "host", no "username" or no "key"`)
	}
	return a, nil
}

// readAccounts reads both versions, and refuses a pending one for another
// service or client than the current one: somebody changed it, and a key must
// not go there.
func readAccounts(v rotation.Versions) (current, pending account, err error) {
	if current, err = readAccount(v.Current); err != nil {
		return current, pending, err
	}
	if pending, err = readAccount(v.Pending); err != nil {
		return current, pending, err
	}
	if current.host != pending.host || current.client != pending.client {
		return current, pending, rotation.Fail(rotation.BadSecret, "AWSPENDING and AWSCURRENT name different services or clients")
	}
	return current, pending, nil
}

func (a account) digest() string { return digestOf(a.key) }

// digestOf is what the service knows of a key.
func digestOf(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}
