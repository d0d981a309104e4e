package databasetest

import (
	"context"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation/rotationtest"
)

// faulty passes every call to d and its connections through f.
func faulty(d database.Driver, f *rotationtest.Faults) database.Driver {
	connect := d.Connect
	d.Connect = func(ctx context.Context, l database.Login) (database.Conn, error) {
		var c database.Conn
		err := f.Do("Connect", func() (err error) { c, err = connect(ctx, l); return err })
		if err != nil {
			if c != nil {
				_ = c.Close()
			}
			return nil, err
		}
		if _, ok := c.(database.Cloner); ok {
			return faultyCloner{faultyConn{c, f}}, nil
		}
		return faultyConn{c, f}, nil
	}
	return d
}

type faultyConn struct {
	database.Conn
	f *rotationtest.Faults
}

func (c faultyConn) Check(ctx context.Context) error {
	return c.f.Do("Check", func() error { return c.Conn.Check(ctx) })
}

func (c faultyConn) SetPassword(ctx context.Context, user, password string) error {
	return c.f.Do("SetPassword", func() error { return c.Conn.SetPassword(ctx, user, password) })
}

func (c faultyConn) Overlaps(ctx context.Context, user string) (overlaps bool, err error) {
	o, ok := c.Conn.(database.Overlapper)
	if !ok {
		return false, nil
	}
	err = c.f.Do("Overlaps", func() error { overlaps, err = o.Overlaps(ctx, user); return err })
	return overlaps, err
}

func (c faultyConn) Preflight(ctx context.Context, user, clone string) error {
	p, ok := c.Conn.(database.Preflighter)
	if !ok {
		return nil // as if it were no Preflighter
	}
	return c.f.Do("Preflight", func() error { return p.Preflight(ctx, user, clone) })
}

// faultyCloner has every ability that goes with cloning. One that the
// connection lacks does nothing, as the framework does without it.
type faultyCloner struct{ faultyConn }

func (c faultyCloner) CloneUser(ctx context.Context, original, clone, password string) error {
	return c.f.Do("CloneUser", func() error { return c.Conn.(database.Cloner).CloneUser(ctx, original, clone, password) })
}

func (c faultyCloner) Rights(ctx context.Context, twin string) (rights []string, err error) {
	a, ok := c.Conn.(database.Auditor)
	if !ok {
		return nil, nil
	}
	err = c.f.Do("Rights", func() error { rights, err = a.Rights(ctx, twin); return err })
	return rights, err
}

func (c faultyCloner) GrantDrift(ctx context.Context, original, clone string) error {
	g, ok := c.Conn.(database.DriftGranter)
	if !ok {
		return nil
	}
	return c.f.Do("GrantDrift", func() error { return g.GrantDrift(ctx, original, clone) })
}

func (c faultyCloner) Adopt(ctx context.Context, original, clone string) error {
	a, ok := c.Conn.(database.Adopter)
	if !ok {
		return nil
	}
	return c.f.Do("Adopt", func() error { return a.Adopt(ctx, original, clone) })
}
