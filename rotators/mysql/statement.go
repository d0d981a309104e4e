package mysql

import "context"

// A statement changes something on the server. It says by say what no plan tells.
type statement func(say func(untold) string) string

// plain is a statement that may be told as it is.
func plain(text string) statement { return func(func(untold) string) string { return text } }

// An untold text is a password, or what was made of one, or of no meaning to people.
type untold struct{ text, instead string }

func (u untold) sent() string { return literal(u.text) }
func (u untold) told() string { return literal(u.instead) }

// newPassword is one that is being set.
func newPassword(text string) untold { return untold{text, "<new password>"} }

// exec is send for a statement that may be told as it is.
func (c *conn) exec(ctx context.Context, text string) error { return c.send(ctx, plain(text)) }

// send runs a statement, or only tells it, in a rehearsal: it is the one way by which
// something changes. The error has no class yet: see fault.
func (c *conn) send(ctx context.Context, s statement) error {
	if c.facts != nil {
		if err := c.bound(ctx, c.facts.dialect); err != nil {
			return err
		}
	}
	if !c.login.Report.Sends(s(untold.told)) {
		return nil
	}
	_, err := c.sql.ExecContext(ctx, s(untold.sent))
	if isCode(err, codeCannotUser) {
		return c.reason(ctx, err)
	}
	return err
}

// hold lets the server refuse whatever a rehearsal would change. MySQL is not asked
// for that: it ends when such a session sets a default role (seen on 8.0.33 and
// 9.7.4), which no slip of ours is worth.
func (c *conn) hold(ctx context.Context, d dialect) error {
	if !d.maria || !c.login.Report.Rehearses() {
		return nil
	}
	_, err := c.sql.ExecContext(ctx, "SET SESSION TRANSACTION READ ONLY")
	return err
}
