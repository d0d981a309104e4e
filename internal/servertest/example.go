package servertest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// ErrRefused is a server's no to a user or a password.
var ErrRefused = errors.New("the login was refused")

// An Example is a running server with what a rotation needs: what tools show,
// measure and try rotations on. Close it.
//
// A secret is its fields, as JSON would have them.
type Example struct {
	*Server
	// Env is what a function needs to reach the server, such as CA_BUNDLE.
	Env map[string]string
	// Administrator is a secret of somebody who may administer the users, and no
	// more than needed for that.
	Administrator map[string]any
	// User makes a user of that name, who may change its own password and work in
	// the example's database, and returns its secret. The name needs no quotes.
	User func(ctx context.Context, name string) (secret map[string]any, err error)
	// Overlap says that the old password of a single user works until the next rotation.
	Overlap bool
	// Login tries the user and password of a secret. A refusal is ErrRefused.
	Login func(ctx context.Context, secret map[string]any) error
	// Create makes something as a secret's user; Use works on it, and drops it. Both
	// are nil where the server keeps no data.
	Create, Use func(ctx context.Context, secret map[string]any) error
	// Client is the shell command to connect with, where %s is the user and $secret
	// holds the secret. CAFile is the name of the file with the server's CA, for it.
	Client string
	CAFile string

	undo func(ctx context.Context) error
}

// NewExample begins one on a server. Undo drops what it makes there, if the
// server is somebody else's; it may be nil.
func NewExample(s *Server, undo func(ctx context.Context) error) (*Example, error) {
	folder, err := os.MkdirTemp("", "rotor-example-")
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	e := &Example{Server: s, Env: map[string]string{"CA_BUNDLE": string(s.CA)}, CAFile: filepath.Join(folder, "ca.pem"), undo: undo}
	if err := os.WriteFile(e.CAFile, s.CA, 0o600); err != nil {
		return nil, errors.Join(err, e.Close(context.Background()))
	}
	return e, nil
}

// Close ends the server or, if it is somebody else's, drops what was made there.
func (e *Example) Close(ctx context.Context) error {
	var err error
	if !e.Ours && e.undo != nil {
		err = e.undo(ctx)
	}
	return errors.Join(err, e.Server.Close(), os.RemoveAll(filepath.Dir(e.CAFile)))
}

// Text is a field of a secret.
func Text(secret map[string]any, field string) string { return fmt.Sprint(secret[field]) }

// Tag ends the names that an example makes: it is empty on a server of ours, and
// unique on somebody else's.
func (s *Server) Tag() string {
	if s.Ours {
		return ""
	}
	return "_" + strings.ToLower(rand.Text()[:10])
}
