package databasetest

import (
	"context"

	"github.com/seed492efc12/rotor/framework/database"
)

// Around runs effect, which is one call of a driver, or does something else in
// its place or besides. Its error is the call's.
type Around func(ctx context.Context, call string, effect func() error) error

// Intercept passes every call of d and of its connections through around. The
// calls have the names of their methods; Connect stands for both of a driver's.
func Intercept(d database.Driver, around Around) database.Driver {
	connect := d.Connect
	d.Connect = database.AsConn(func(ctx context.Context, l database.Login) (intercepted[database.Conn], error) {
		c, err := opening(ctx, l, around, connect)
		return intercepted[database.Conn]{c, around}, err
	})
	if d.Cloning == nil {
		return d
	}
	c := *d.Cloning
	d.Cloning = &database.Cloning{Suffix: c.Suffix, Connect: database.AsAdministrator(func(ctx context.Context, l database.Login) (administrator, error) {
		a, err := opening(ctx, l, around, c.Connect)
		return administrator{intercepted[database.Administrator]{a, around}}, err
	})}
	return d
}

// opening closes a connection that the caller will not get.
func opening[C database.Conn](ctx context.Context, l database.Login, around Around, connect func(context.Context, database.Login) (C, error)) (conn C, err error) {
	open := false
	err = around(ctx, "Connect", func() (err error) { conn, err = connect(ctx, l); open = err == nil; return err })
	if err != nil && open {
		_ = conn.Close()
	}
	return conn, err
}

// intercepted leaves no method out: it embeds nothing.
type intercepted[C database.Conn] struct {
	conn   C
	around Around
}

func (i intercepted[C]) Check(ctx context.Context) error {
	return i.around(ctx, "Check", func() error { return i.conn.Check(ctx) })
}

func (i intercepted[C]) SetPassword(ctx context.Context, c database.Change) error {
	return i.around(ctx, "SetPassword", func() error { return i.conn.SetPassword(ctx, c) })
}

func (i intercepted[C]) Preflight(ctx context.Context, target database.Login) error {
	return i.around(ctx, "Preflight", func() error { return i.conn.Preflight(ctx, target) })
}

func (i intercepted[C]) CheckPassword(ctx context.Context, sample string) error {
	return i.around(ctx, "CheckPassword", func() error { return i.conn.CheckPassword(ctx, sample) })
}

func (i intercepted[C]) Close() error { return i.conn.Close() }

type administrator struct {
	intercepted[database.Administrator]
}

func (a administrator) PreflightClone(ctx context.Context, p database.Pair) error {
	return a.around(ctx, "PreflightClone", func() error { return a.conn.PreflightClone(ctx, p) })
}

func (a administrator) PreflightHandBack(ctx context.Context, p database.Pair, drift bool) error {
	return a.around(ctx, "PreflightHandBack", func() error { return a.conn.PreflightHandBack(ctx, p, drift) })
}

func (a administrator) Standing(ctx context.Context, p database.Pair, next database.Login) (standing database.Standing, err error) {
	err = a.around(ctx, "Standing", func() error { standing, err = a.conn.Standing(ctx, p, next); return err })
	return standing, err
}

func (a administrator) Compare(ctx context.Context, p database.Pair) (d database.Difference, err error) {
	err = a.around(ctx, "Compare", func() error { d, err = a.conn.Compare(ctx, p); return err })
	return d, err
}

func (a administrator) Clone(ctx context.Context, p database.Pair) error {
	return a.around(ctx, "Clone", func() error { return a.conn.Clone(ctx, p) })
}

func (a administrator) HandBack(ctx context.Context, p database.Pair, drift bool) error {
	return a.around(ctx, "HandBack", func() error { return a.conn.HandBack(ctx, p, drift) })
}

func (a administrator) Rights(ctx context.Context, twin string) (rights []string, err error) {
	err = a.around(ctx, "Rights", func() error { rights, err = a.conn.Rights(ctx, twin); return err })
	return rights, err
}
