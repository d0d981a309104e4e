package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"testing"

	mysql "github.com/go-sql-driver/mysql"
)

// A busy server refuses some logins.
type busy struct {
	driver.Connector
	refusals, logins int
	err              error
}

func (b *busy) Connect(context.Context) (driver.Conn, error) {
	if b.logins++; b.logins <= b.refusals {
		return nil, b.err
	}
	return nil, nil
}

// The servers count a session for a moment after its end: whoever may have one at a time is let in then. Other limits do
// not end so soon, and a refused password is not tried again.
func TestALoginWaitsForTheEndOfTheLastSession(t *testing.T) {
	session := &mysql.MySQLError{Number: codeLimit, Message: "User 'app' has exceeded the 'max_user_connections' resource (current value: 1)"}
	for _, c := range []struct {
		err              error
		refusals, logins int
		fails            bool
	}{
		{session, 0, 1, false},
		{session, 2, 3, false},
		{session, 9, 3, true},
		{&mysql.MySQLError{Number: codeLimit, Message: "User 'app' has exceeded the 'max_questions' resource (current value: 1)"}, 1, 1, true},
		{&mysql.MySQLError{Number: 1045, Message: "Access denied for user 'app'"}, 1, 1, true},
		{errors.New("max_user_connections"), 1, 1, true},
	} {
		b := &busy{refusals: c.refusals, err: c.err}
		if _, err := opening(t.Context(), b); b.logins != c.logins || (err != nil) != c.fails {
			t.Errorf("%v, %d times: %d logins, and then %v", c.err, c.refusals, b.logins, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if b := (&busy{refusals: 1, err: session}); !errors.Is(opened(ctx, b), session) || b.logins != 1 {
		t.Errorf("%d logins after the end of the step", b.logins)
	}
}

func opened(ctx context.Context, c driver.Connector) error {
	_, err := opening(ctx, c)
	return err
}
