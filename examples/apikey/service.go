package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// maxKeys is how many live keys the service lets a client have.
const maxKeys = 2

// A service is the client's side of the HTTP service. It never retries, and
// gives every error a class.
type service struct{ http *http.Client }

func newService(transport http.RoundTripper) service {
	return service{&http.Client{
		Transport: transport,
		Timeout:   10 * time.Second,
		// A redirect could send the key elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// keys are the digests of the account's live keys.
func (s service) keys(ctx context.Context, a account) ([]string, error) {
	reply, err := s.call(ctx, a, http.MethodGet, "/keys")
	return reply.Keys, err
}

func (s service) add(ctx context.Context, a account, digest string) error {
	_, err := s.call(ctx, a, http.MethodPut, "/keys/"+digest)
	return err
}

func (s service) revoke(ctx context.Context, a account, digest string) error {
	_, err := s.call(ctx, a, http.MethodDelete, "/keys/"+digest)
	return err
}

// whoami proves that the account's key is live, and is this client's.
func (s service) whoami(ctx context.Context, a account) error {
	reply, err := s.call(ctx, a, http.MethodGet, "/whoami")
	if err == nil && reply.Client != a.client {
		return rotation.Fail(rotation.BadSecret, "the key is the client %q's, not %q's", reply.Client, a.client)
	}
	return err
}

// A reply is what the service answers.
type reply struct {
	Client string   `json:"client"`
	Keys   []string `json:"keys"`
}

// call sends one request, and says in its errors which, where and as whom.
func (s service) call(ctx context.Context, a account, method, path string) (reply, error) {
	r, err := s.send(ctx, a, method, path)
	if err != nil {
		return r, fmt.Errorf("%s %s at %s as %q: %w", method, path, a.host, a.client, err)
	}
	return r, nil
}

func (s service) send(ctx context.Context, a account, method, path string) (r reply, err error) {
	u := url.URL{Scheme: "https", Host: a.host, Path: path}
	q, err := http.NewRequestWithContext(ctx, method, u.String(), nil)
	if err != nil {
		return r, rotation.Fail(rotation.BadSecret, `the secret's "host" is none`)
	}
	q.Header.Set("Authorization", "Bearer "+a.key)
	resp, err := s.http.Do(q)
	if err != nil {
		return r, unreached(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if err := refused(resp.StatusCode); err != nil {
		return r, err
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&r); err != nil {
		return r, rotation.Fail(rotation.Unavailable, "the answer is not whole: %w", err).Again()
	}
	return r, nil
}

// refused gives an answer that is no success its class. The body stays unread:
// it may quote the key.
func refused(status int) error {
	text := http.StatusText(status)
	switch {
	case status < 300:
		return nil
	case status == http.StatusUnauthorized:
		return rotation.Fail(rotation.LoginRefused, "the key is refused: %d %s", status, text).
			With("Put a key that works into the secret's AWSCURRENT version, then rotate it again.")
	case status == http.StatusForbidden:
		return rotation.Fail(rotation.MissingPrivilege, "the key may not do this: %d %s", status, text)
	case status == http.StatusTooManyRequests, status >= 500:
		return rotation.Fail(rotation.Unavailable, "the service does not answer now: %d %s", status, text).Again()
	}
	return rotation.Fail(rotation.Unknown, "the service answers %d %s", status, text)
}

// unreached gives an error of the network its class. No key was refused, so that
// the step may be run again.
func unreached(err error) error {
	if untrusted, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return rotation.Fail(rotation.TLS, "the service's certificate is not to be trusted: %w", untrusted)
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return &rotation.Fault{Class: rotation.DNS, Err: err}
	}
	return rotation.Fail(rotation.Unreachable, "the service is not to be reached: %w", err).Again()
}
