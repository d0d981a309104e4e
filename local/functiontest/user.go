package functiontest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/local/rig"
)

// A user is one that nothing else uses, with its secret and its administrator's.
type user struct {
	*stage
	Fixture
	number int
	arn    string
	rights string // at first
}

// user makes one, whose secret is changed by changes.
func (s *stage) user(t *testing.T, changes ...func(secret.Document) secret.Document) *user {
	t.Helper()
	s.users++
	u := &user{stage: s, Fixture: s.New(t), number: s.users}
	admin := u.create(t, "administrator", s.located(t, u.Administrator))
	doc := s.located(t, u.User).With("masterarn", admin)
	var err error
	if u.rights, err = u.Login(t.Context(), doc.Text("username"), doc.Text("password")); err != nil {
		t.Fatalf("the new user cannot log in: %v", err)
	}
	for _, change := range changes {
		doc = change(doc)
	}
	u.arn = u.create(t, "user", doc)
	return u
}

func (u *user) create(t *testing.T, name string, d secret.Document) (arn string) {
	t.Helper()
	arn, err := u.rig.CreateSecret(t.Context(), fmt.Sprint(name, u.number), string(d.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	return arn
}

// value reads the version with a label; it is absent if there is none, or if it has no value.
func (u *user) value(ctx context.Context, label string) secret.Document {
	text, err := u.rig.Value(ctx, u.arn, label)
	if err != nil {
		return secret.Document{}
	}
	d, err := secret.Parse([]byte(text))
	if err != nil {
		return secret.Document{}
	}
	return d
}

// works proves that the credential with a label logs in and has all rights.
func (u *user) works(ctx context.Context, label string) error {
	d := u.value(ctx, label)
	if d.IsZero() {
		return fmt.Errorf("%s has no value", label)
	}
	rights, err := u.Login(ctx, d.Text("username"), d.Text("password"))
	if err == nil && rights != u.rights {
		err = fmt.Errorf("the rights are\n%s\nand were\n%s", rights, u.rights)
	}
	if err != nil {
		return fmt.Errorf("%s of %q: %w", label, d.Text("username"), err)
	}
	return nil
}

// alive is nil unless everybody is locked out. While a single user's password changes, the pending one counts.
func (u *user) alive(ctx context.Context) error {
	err := u.works(ctx, "AWSCURRENT")
	if err != nil && u.by != alternating {
		if pending := u.works(ctx, "AWSPENDING"); pending != nil {
			return errors.Join(err, pending)
		}
		return nil
	}
	return err
}

// wantRotated checks what a rotation must end with: its version is current, and works, and is no other than it was
// when it was pending (if it had a value then).
func (u *user) wantRotated(t *testing.T, token, pending, old string) {
	t.Helper()
	labels, err := u.rig.Labels(t.Context(), u.arn)
	if err != nil {
		t.Fatal(err)
	}
	now := u.value(t.Context(), "AWSCURRENT").Text("password")
	switch {
	case labels["AWSCURRENT"] != token:
		t.Errorf("AWSCURRENT is on %q, not on the new version", labels["AWSCURRENT"])
	case now == old:
		t.Error("the password is the old one")
	case pending != "" && now != pending:
		t.Error("a pending value was overwritten")
	}
	if err := u.works(t.Context(), "AWSCURRENT"); err != nil {
		t.Errorf("after the rotation: %v", err)
	}
}

// begin starts a rotation that Secrets Manager gives up at once: the pending version is there, without a value, and
// its steps are the test's to call.
func (u *user) begin(t *testing.T) (token string) {
	t.Helper()
	u.denying.Store(true)
	n, err := u.rig.Rotate(t.Context(), u.arn, u.function)
	u.denying.Store(false)
	if rig.ErrorType(err) != "Rotation.AccessDenied" {
		t.Fatalf("the rotation was to be denied: %v", err)
	}
	return n.Token
}

// fails rotates, which must fail with a class, and returns the version that stays pending.
func (u *user) fails(t *testing.T, class string) (token string) {
	t.Helper()
	n, err := u.rig.Rotate(t.Context(), u.arn, u.function)
	if rig.ErrorType(err) != class {
		t.Fatalf("the rotation was to fail with %s: %v", class, err)
	}
	return n.Token
}

// step calls a function as Secrets Manager does.
func (u *user) step(ctx context.Context, f *rig.Function, name, token string) error {
	tokens := u.rig.RotationTokens()
	event := fmt.Sprintf(`{"Step":%q,"SecretId":%q,"ClientRequestToken":%q,"RotationToken":%q}`, name, u.arn, token, tokens[len(tokens)-1])
	if err := f.Invoke(ctx, event); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func steps() []string { return []string{"createSecret", "setSecret", "testSecret", "finishSecret"} }
