package oracle

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// facts are what a session is, read once.
type facts struct {
	self    string // the session's user, as in the catalog
	release []int  // such as 12, 1, 0, 2, 0
	rds     bool
}

// know reads the facts, and checks names against the server's release.
func (c *conn) know(ctx context.Context, names ...string) (*facts, error) {
	if c.facts == nil {
		f, err := c.readFacts(ctx)
		if err != nil {
			return nil, fault(err)
		}
		c.facts = f
	}
	for _, name := range names {
		if err := c.facts.checkName(name); err != nil {
			return nil, err
		}
	}
	return c.facts, nil
}

func (c *conn) readFacts(ctx context.Context) (*facts, error) {
	f := &facts{}
	self, err := c.rows(ctx, "SELECT USER FROM DUAL")
	if err != nil {
		return nil, err
	}
	version, err := c.rows(ctx, "SELECT VERSION FROM PRODUCT_COMPONENT_VERSION WHERE PRODUCT LIKE 'Oracle%'")
	if err != nil {
		return nil, err
	}
	admin, err := c.rows(ctx, "SELECT USERNAME FROM ALL_USERS WHERE USERNAME = 'RDSADMIN'")
	if err != nil {
		return nil, err
	}
	if len(self) != 1 || len(version) == 0 {
		return nil, rotation.Fail(rotation.Unknown, "the server does not say who the session is and what release it has")
	}
	f.self, f.rds = self[0][0], len(admin) > 0
	for part := range strings.SplitSeq(version[0][0], ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil, rotation.Fail(rotation.Unknown, "the server says that its release is %q", version[0][0])
		}
		f.release = append(f.release, n)
	}
	return f, nil
}

// since reports whether the server has a release or a later one.
func (f *facts) since(release ...int) bool { return slices.Compare(f.release, release) >= 0 }

// checkName applies the length of names before 12.2.
func (f *facts) checkName(name string) error {
	if most := 30; !f.since(12, 2) && len(name) > most {
		return tooLong(name, most)
	}
	return nil
}
