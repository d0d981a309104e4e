package postgres

import (
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/internal/pgwire"
)

// SetPassword implements database.Conn. The server gets the verifier of a
// password and, only if it takes no verifiers, the password itself. The Report is
// told of both at once: what was refused has changed nothing.
func (c *conn) SetPassword(ctx context.Context, change database.Change) error {
	sends := sync.OnceValue(func() bool { return c.login.Report.Sends(alterPassword(change.Target.User, "<new password>")) })
	err := c.store(ctx, change.Target, facts.verifier, sends)
	var refused *verifierRefused
	if !errors.As(err, &refused) {
		return c.explained(ctx, change.Target.User, err)
	}
	if c.login.TLS == nil {
		return rotation.Fail(rotation.PasswordRejected, "the server takes no password verifier (%w), and the connection is not encrypted", refused.err).
			With("Let the server's password check accept SCRAM verifiers, or connect with TLS.")
	}
	c.login.Report.Notef("The server refused a password verifier (%v). The password was sent as text over TLS: it may be in the server's log.", refused.err)
	err = c.store(ctx, change.Target, func(_ facts, password string) (string, error) { return password, nil }, sends)
	if errors.As(err, &refused) {
		return &rotation.Fault{Class: rotation.PasswordRejected, Err: refused.err}
	}
	return err
}

// store sets a password in the form that form makes of it, if sends says so.
func (c *conn) store(ctx context.Context, target database.Login, form func(facts, string) (string, error), sends func() bool) error {
	like := target.User
	if like == c.rehearsed.Clone.User {
		like = c.rehearsed.Original.User
	}
	return c.work(ctx, beginWriting, func(tx pgx.Tx) error {
		f, err := c.facts(ctx, tx, like)
		if err != nil {
			return err
		}
		stored, err := form(f, target.Password)
		if err != nil {
			return err
		}
		if !sends() {
			return nil
		}
		_, err = tx.Exec(ctx, alterPassword(target.User, stored))
		if refusesVerifier(err) {
			return &verifierRefused{fault(err)}
		}
		return c.altering(err, target.User)
	})
}

func alterPassword(user, stored string) string {
	return "ALTER ROLE " + pgwire.Ident(user) + " PASSWORD " + literal(stored)
}

// A verifierRefused is the error of the one statement that has a PASSWORD. The
// same codes mean something else elsewhere.
type verifierRefused struct{ err error }

func (e *verifierRefused) Error() string { return e.err.Error() }

// refusesVerifier reports whether a password check, such as that of the
// extensions passwordcheck and credcheck, turned a stored form down.
func refusesVerifier(err error) bool {
	var pe *pgconn.PgError
	if !errors.As(err, &pe) {
		return false
	}
	switch pe.Code {
	case "22023", "28000", "28P01": // invalid value, invalid authorization, invalid password
		return true
	}
	return false
}

// verifier is the form in which the server keeps a password: of the kind that
// its password_encryption names, with as many iterations as it asks for. What a
// user or the owner of a database has preset counts for nothing, and whoever
// logged in to this session by SCRAM does not get a weaker one.
func (f facts) verifier(password string) (string, error) {
	for _, b := range []byte(password) {
		if b < ' ' || b > '~' {
			// SASLprep (RFC 4013) leaves printable ASCII as it is. Passwords that
			// are made here have nothing else.
			return "", rotation.Fail(rotation.PasswordRejected, "the password has characters outside printable ASCII")
		}
	}
	if f.md5 {
		sum := md5.Sum([]byte(password + f.user))
		return "md5" + hex.EncodeToString(sum[:]), nil
	}
	salt := make([]byte, 16)
	rand.Read(salt)
	return scramVerifier(password, salt, f.iterations)
}

// scramVerifier is RFC 5803's form of a SCRAM-SHA-256 password, in PostgreSQL's
// spelling: SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>.
// Source: RFC 5802, section 3; PostgreSQL manual, pg_authid.
func scramVerifier(password string, salt []byte, iterations int) (string, error) {
	salted, err := pbkdf2.Key(sha256.New, password, salt, iterations, sha256.Size)
	if err != nil {
		return "", fmt.Errorf("deriving the key of a password: %w", err)
	}
	client := mac(salted, "Client Key")
	stored := sha256.Sum256(client)
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", iterations, b64(salt), b64(stored[:]), b64(mac(salted, "Server Key"))), nil
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
