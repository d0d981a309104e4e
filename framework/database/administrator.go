package database

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
)

const administrator = "administrator"

// administering opens a session of the administrator's by connect, one of the
// driver's.
func administering[C Conn](ctx context.Context, r *Rotator, p pair, connect func(context.Context, Login) (C, error)) (C, Login, error) {
	var none C
	l, err := r.administrator(ctx, p)
	if err != nil {
		return none, l, err
	}
	conn, err := opening(ctx, r, l, connect)
	if errors.Is(err, ErrLoginRefused) {
		err = &rotation.Fault{Class: rotation.LoginRefused, Err: err, Remedy: fmt.Sprintf("Put the password of %q that works into the AWSCURRENT version of the administrator's secret, %s; then rotate again. "+
			"If that secret is being rotated itself at this moment, only rotate again.", l.User, p.current.Secret.Text("masterarn"))}
	}
	return conn, l, err
}

// administrator is the login of the secret that masterarn names.
func (r *Rotator) administrator(ctx context.Context, p pair) (Login, error) {
	arn := p.current.Secret.Text("masterarn")
	if arn == "" {
		return Login{}, rotation.Fail(rotation.BadSecret, "the secret has no field %q", "masterarn").
			With("Put the ARN of the administrator's secret into masterarn, or use ROTATION_STRATEGY=single-user.")
	}
	doc, err := p.v.Others.Lookup(ctx, arn)
	if errors.Is(err, rotation.ErrNotFound) {
		return Login{}, rotation.Fail(rotation.BadSecret, "the administrator secret %s does not exist", arn).
			With("Correct masterarn in the secret.")
	}
	if err != nil {
		return Login{}, fmt.Errorf("reading the administrator secret %s: %w", arn, err)
	}
	return r.administratorLogin(ctx, doc, arn, p)
}

// administratorLogin reads the administrator's secret. It must name the same
// server as the user's, or be managed by the service that runs that server.
// Its session is in the user's database, where the user's rights are.
func (r *Rotator) administratorLogin(ctx context.Context, doc secret.Document, arn string, p pair) (Login, error) {
	if doc.Text("host") == "" {
		tags, err := p.v.Others.Tags(ctx, arn)
		if err != nil {
			return Login{}, fmt.Errorf("reading the tags of the administrator secret %s: %w", arn, err)
		}
		if err := managedFor(tags, p.current.Host, p.v.SecretID); err != nil {
			return Login{}, err
		}
		// Whoever may write the user's secret must not decide how the master's
		// password travels, or whom the certificate has to name.
		doc = doc.With("engine", p.current.Secret.Text("engine")).With("host", p.current.Host).
			With("port", fmt.Sprint(p.current.Port)).With("tlsServerName", "").With("ssl", "true")
		if sid := p.current.Secret.Text("sid"); sid != "" {
			doc = doc.With("sid", sid)
		}
	}
	l, err := r.login(administrator, doc.With("dbname", p.current.Database), p.v.Report)
	l.Secret = doc // as it is: its own dbname may say where the administrator is defined
	if err != nil {
		return l, err
	}
	if err := sameServer(l, p.current); err != nil {
		return l, err.With(fmt.Sprintf("Put the right host and port into the one that has the wrong ones (PutSecretValue), then rotate again: %s is the user's secret, and %s the administrator's. "+
			"They have to agree letter for letter. Where one names a reader endpoint or a replica, the writer's is the right one.", p.v.SecretID, arn))
	}
	return l, nil
}
