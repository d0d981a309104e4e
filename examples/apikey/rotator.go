package main

import (
	"context"
	"crypto/rand"
	"net/http"
	"slices"

	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
)

// A rotator rotates API keys. A client of the service may have two live keys:
// AWSCURRENT works at every moment, and what it replaced works until the next
// rotation revokes it.
type rotator struct{ service }

func newRotator(transport http.RoundTripper) rotator { return rotator{newService(transport)} }

// Next implements rotation.Rotator. A key has 130 random bits.
func (r rotator) Next(_ context.Context, v rotation.Versions) (secret.Document, error) {
	if _, err := readAccount(v.Current); err != nil {
		return secret.Document{}, err
	}
	return v.Current.With("key", rand.Text()), nil
}

// Set implements rotation.Rotator.
func (r rotator) Set(ctx context.Context, v rotation.Versions) error {
	current, pending, err := readAccounts(v)
	if err != nil {
		return err
	}
	live, err := r.keys(ctx, current)
	if err != nil || slices.Contains(live, pending.digest()) {
		return err // or an earlier run was here
	}
	oldest, err := replaced(ctx, v, live)
	if err != nil {
		return err
	}
	if oldest != "" && v.Report.Sends("revoke the key that the last rotation replaced") {
		if err := r.revoke(ctx, current, oldest); err != nil {
			return err
		}
	}
	if !v.Report.Sends("add the new key") {
		return nil
	}
	return r.add(ctx, current, pending.digest())
}

// Test implements rotation.Rotator.
func (r rotator) Test(ctx context.Context, v rotation.Versions) error {
	pending, err := readAccount(v.Pending)
	if err != nil {
		return err
	}
	return r.whoami(ctx, pending)
}

// Plan implements rotation.Rotator.
func (r rotator) Plan(ctx context.Context, v rotation.Versions) (err error) {
	if v.Pending.IsZero() {
		if v.Pending, err = r.Next(ctx, v); err != nil {
			return err
		}
	}
	return r.Set(ctx, v)
}

// Try implements rotation.Rotator.
func (r rotator) Try(ctx context.Context, _ string, value secret.Document, _ *rotation.Report) (string, error) {
	a, err := readAccount(value)
	if err != nil {
		return "", err
	}
	return a.client, r.whoami(ctx, a)
}

// Preflight implements rotation.Rotator.
func (r rotator) Preflight(ctx context.Context, v rotation.Versions) error {
	current, err := readAccount(v.Current)
	if err != nil {
		return err
	}
	live, err := r.keys(ctx, current)
	if err != nil {
		return err
	}
	_, err = replaced(ctx, v, live)
	return err
}

// tooManyKeys is a class of this rotator's own, for alarms to match.
const tooManyKeys rotation.Class = "ApiKey.TooManyKeys"

// replaced returns the digest of the key that the last rotation replaced, if it
// must make room for the next one. A key that AWSPREVIOUS does not name is
// somebody else's, and stays.
func replaced(ctx context.Context, v rotation.Versions, live []string) (digest string, err error) {
	if len(live) < maxKeys {
		return "", nil
	}
	previous, err := v.Others.Previous(ctx)
	if err != nil {
		return "", err
	}
	digest = digestOf(previous.Text("key"))
	if digest == digestOf(v.Current.Text("key")) || !slices.Contains(live, digest) {
		return "", rotation.Fail(tooManyKeys, "the client has %d keys, and AWSPREVIOUS is none of them that may go", len(live)).
			With("Revoke the client's key that is not in AWSCURRENT, then rotate again.")
	}
	return digest, nil
}
