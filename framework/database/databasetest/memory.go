package databasetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
)

// Memory is a database server in memory, whose driver is the shortest complete
// one and the one to copy. It is for tests of what lies above drivers. The zero
// Memory has no users.
type Memory struct {
	// Overlap keeps a user's last password valid beside the new one.
	Overlap bool
	// Sick lets users log in, and do nothing then.
	Sick bool
	// Unusable takes a password and then refuses every login with it, as a server
	// may whose rules for logins and for passwords differ. It may be nil.
	Unusable func(password string) bool
	// Shortest is the least length of a password that it takes.
	Shortest int
	// Unmarked has no place for a mark that two users belong together.
	Unmarked bool
	// Port is the one that it listens at; 0 is all of them.
	Port int
	// Stubborn is a right that every clone has, and nobody can take away. It may
	// be empty.
	Stubborn string

	mu    sync.Mutex
	users map[string]*memoryUser
	calls int // connections asked for
	shown []string
}

type memoryUser struct {
	password string
	last     string // valid too, if not empty
	admin    bool
	locked   bool
	rights   map[string]bool
	twin     string // the mark
}

// Add adds a user with some rights. An administrator may do everything.
func (m *Memory) Add(user, password string, admin bool, rights ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.users == nil {
		m.users = map[string]*memoryUser{}
	}
	m.users[user] = &memoryUser{password: password, admin: admin, rights: map[string]bool{}}
	for _, r := range rights {
		m.users[user].rights[r] = true
	}
}

// Grant gives a user a right; Revoke takes it away.
func (m *Memory) Grant(user, right string) {
	m.change(user, func(u *memoryUser) { u.rights[right] = true })
}

// Revoke takes a right away.
func (m *Memory) Revoke(user, right string) {
	m.change(user, func(u *memoryUser) { delete(u.rights, right) })
}

// Lock locks a user out.
func (m *Memory) Lock(user string) { m.change(user, func(u *memoryUser) { u.locked = true }) }

// SetPassword changes a password behind the framework's back.
func (m *Memory) SetPassword(user, password string) {
	m.change(user, func(u *memoryUser) { u.password = password })
}

func (m *Memory) change(user string, f func(*memoryUser)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f(m.users[user])
}

// Rights are the rights of a user, sorted.
func (m *Memory) Rights(user string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	u, ok := m.users[user]
	if !ok {
		return nil
	}
	return slices.Sorted(maps.Keys(u.rights))
}

// State tells all of the users, passwords included: it is the same text as long as
// nothing was changed.
func (m *Memory) State() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var b strings.Builder
	for _, user := range slices.Sorted(maps.Keys(m.users)) {
		fmt.Fprintf(&b, "%q %+v\n", user, *m.users[user])
	}
	return b.String()
}

// Connections is how many were asked for.
func (m *Memory) Connections() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.calls
}

// Driver returns the driver of this server. Its engine is "memory".
func (m *Memory) Driver() database.Driver {
	return database.Driver{
		Engines:   []string{"memory"},
		Port:      1,
		Database:  "main",
		CheckUser: database.AnyUser,
		Connect:   database.AsConn(m.connect),
		Cloning: &database.Cloning{
			Suffix:  "_clone",
			Connect: database.AsAdministrator(m.connect),
		},
	}
}

// Fixture adds a user with two rights and an administrator, and returns their
// secrets.
func (m *Memory) Fixture(user string) Fixture {
	m.Add(user, "old-password", false, "read", "write")
	m.Add("root", "root-password", true)
	doc, _ := secret.Parse([]byte(`{"engine":"memory","host":"h","masterarn":"admin","keep":[1, 2]}`))
	return Fixture{
		User:  doc.With("username", user).With("password", "old-password"),
		Admin: doc.With("username", "root").With("password", "root-password"),
	}
}

func (m *Memory) connect(_ context.Context, l database.Login) (*memoryConn, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	u, ok := m.users[l.User]
	switch {
	case m.Port != 0 && l.Port != m.Port:
		return nil, rotation.Fail(rotation.Unreachable, "nobody listens there")
	case !ok || l.Password != u.password && (u.last == "" || l.Password != u.last) || m.Unusable != nil && m.Unusable(l.Password):
		return nil, database.Refused(errors.New("wrong user or password"))
	case u.locked:
		return nil, rotation.Fail(rotation.AccountLocked, "the account is locked")
	}
	return &memoryConn{m: m, user: l.User, report: l.Report}, nil
}

type memoryConn struct {
	m      *Memory
	user   string
	report *rotation.Report
}

// Check implements database.Conn.
func (c *memoryConn) Check(context.Context) error {
	if c.m.Sick {
		return rotation.Fail(rotation.Unavailable, "the server is sick")
	}
	return nil
}

// Close implements database.Conn.
func (c *memoryConn) Close() error { return nil }

// as runs f on the named user, which the session must be, or administer.
func (c *memoryConn) as(user string, f func(u *memoryUser)) error {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	if user != c.user && !c.m.users[c.user].admin {
		return rotation.Fail(rotation.MissingPrivilege, "%q may not change %q", c.user, user)
	}
	u, ok := c.m.users[user]
	if !ok {
		return rotation.Fail(rotation.NoUser, "there is no user %q", user)
	}
	f(u)
	return nil
}

func (c *memoryConn) SetPassword(_ context.Context, change database.Change) error {
	if !c.report.Sends(fmt.Sprintf("set the password of %q", change.Target.User)) {
		return nil
	}
	if err := c.m.checkPassword(change.Target.Password); err != nil {
		return err
	}
	return c.as(change.Target.User, func(u *memoryUser) {
		if u.password == change.Target.Password {
			return // an earlier run set it, and kept what was to be kept
		}
		if !c.m.Overlap || change.Keep != u.last { // one that a rotation left behind which was given up is kept as well
			u.last = ""
		}
		if c.m.Overlap && change.Keep == u.password {
			u.last = u.password
		}
		u.password = change.Target.Password
	})
}

func (c *memoryConn) Preflight(_ context.Context, target database.Login) error {
	return c.as(target.User, func(*memoryUser) {})
}

func (c *memoryConn) CheckPassword(_ context.Context, sample string) error {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	c.m.shown = append(c.m.shown, sample)
	return c.m.checkPassword(sample)
}

// Shown are the passwords that were held against the server's rules without being set.
func (m *Memory) Shown() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.shown)
}

// checkPassword is the server's rule.
func (m *Memory) checkPassword(password string) error {
	if len(password) < m.Shortest {
		return rotation.Fail(rotation.PasswordRejected, "the password is too short")
	}
	return nil
}

func (c *memoryConn) PreflightHandBack(ctx context.Context, p database.Pair, _ bool) error {
	return c.Preflight(ctx, p.Original)
}

func (c *memoryConn) PreflightClone(_ context.Context, p database.Pair) error {
	if err := c.as(p.Original.User, func(*memoryUser) {}); err != nil {
		return fmt.Errorf("preparing %q: %w", p.Clone.User, err)
	}
	return nil
}

func (c *memoryConn) Standing(_ context.Context, p database.Pair, next database.Login) (database.Standing, error) {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	other := p.Original.User
	if next.User == other {
		other = p.Clone.User
	}
	switch u, ok := c.m.users[next.User]; {
	case !ok:
		return database.Absent, nil
	case u.twin == other:
		return database.Twin, nil
	}
	return database.Stranger, nil
}

func (c *memoryConn) Clone(_ context.Context, p database.Pair) error {
	if !c.report.Sends(fmt.Sprintf("make %q what %q is", p.Clone.User, p.Original.User)) {
		return nil
	}
	return c.as(p.Original.User, func(u *memoryUser) {
		clone, ok := c.m.users[p.Clone.User]
		if !ok {
			clone = &memoryUser{password: p.Clone.Password}
			c.m.users[p.Clone.User] = clone
		}
		clone.rights = maps.Clone(u.rights)
		if c.m.Stubborn != "" {
			clone.rights[c.m.Stubborn] = true
		}
		if !c.m.Unmarked {
			clone.twin, u.twin = p.Original.User, p.Clone.User
		}
	})
}

func (c *memoryConn) HandBack(_ context.Context, p database.Pair, drift bool) error {
	if !drift || !c.report.Sends(fmt.Sprintf("give %q what %q may", p.Original.User, p.Clone.User)) {
		return nil
	}
	return c.as(p.Original.User, func(u *memoryUser) { maps.Copy(u.rights, c.m.users[p.Clone.User].rights) })
}

func (c *memoryConn) Compare(_ context.Context, p database.Pair) (database.Difference, error) {
	return database.Differing(c.m.Rights(p.Original.User), c.m.Rights(p.Clone.User)), nil
}

func (c *memoryConn) Rights(context.Context, string) ([]string, error) {
	return c.m.Rights(c.user), nil
}
