package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/gomodule/redigo/redis"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// Fields of a secret whose host and port are a Sentinel's. The last two are for
// a Sentinel that wants a login; they are not rotated.
const (
	sentinelField    = "sentinelMaster"
	sentinelUser     = "sentinelUsername"
	sentinelPassword = "sentinelPassword"
)

// locate is the address to log in at: the secret's, or the one of the primary
// that its Sentinel names.
func locate(ctx context.Context, l database.Login) (string, error) {
	master := l.Secret.Text(sentinelField)
	if master == "" {
		return l.Address(), nil
	}
	raw, err := dial(ctx, l, l.Address())
	if err != nil {
		return "", fmt.Errorf("asking the Sentinel at %s: %w", l.Address(), err)
	}
	n := newNode(raw, l.Address())
	defer n.close()
	if password := l.Secret.Text(sentinelPassword); password != "" {
		arguments := []any{password}
		if user := l.Secret.Text(sentinelUser); user != "" {
			arguments = []any{user, password}
		}
		if _, err := n.do(ctx, "AUTH", arguments...); err != nil {
			return "", sentinelFault(err, l, "Correct "+sentinelUser+" and "+sentinelPassword+" in the secret.")
		}
	}
	place, err := redis.Strings(n.do(ctx, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", master))
	switch {
	case errors.Is(err, redis.ErrNil) || err == nil && len(place) != 2:
		return "", rotation.Fail(rotation.BadSecret, "the Sentinel at %s knows no primary %q", l.Address(), master).
			With("Correct " + sentinelField + " in the secret: SENTINEL MASTERS names those that there are.")
	case err != nil:
		return "", sentinelFault(err, l, "Put a Sentinel's host and port into the secret, and a user of the Sentinel's that it wants into "+sentinelUser+" and "+sentinelPassword+".")
	}
	return net.JoinHostPort(place[0], place[1]), nil
}

// sentinelFault says that the Sentinel did not answer the question.
func sentinelFault(err error, l database.Login, remedy string) error {
	if errors.As(err, new(redis.Error)) {
		return rotation.Fail(rotation.BadSecret, "asking the Sentinel at %s: %w", l.Address(), err).With(remedy)
	}
	return fmt.Errorf("asking the Sentinel at %s: %w", l.Address(), err)
}

// reach makes sure that the session is where target's user is changed, and opens
// the other nodes. A Sentinel knows several primaries: whoever may write the user's
// secret alone must not have an administrator change a user of another one.
func (c *conn) reach(ctx context.Context, target database.Login) error {
	if own, its := c.login.Secret.Text(sentinelField), target.Secret.Text(sentinelField); own != its {
		return rotation.Fail(rotation.BadSecret, "the administrator's secret is for the primary %q, and the user's for %q", own, its).
			With("Put the primary's name, as SENTINEL MASTERS has it, into the " + sentinelField + " of both secrets.")
	}
	if err := c.writable(ctx); err != nil {
		return err
	}
	return c.others(ctx, target)
}

// others opens the nodes that have users of their own beside the seed: its
// replicas, or all that serve slots of the cluster. A node may be changed
// already by a run that was cut short: then target's password opens it, if the
// session is its own user's.
func (c *conn) others(ctx context.Context, target database.Login) error {
	if c.found {
		return nil
	}
	addresses, err := c.addresses(ctx)
	if err != nil {
		return err
	}
	for _, address := range addresses {
		n, err := open(ctx, c.login, address)
		if errors.Is(err, database.ErrLoginRefused) && target.User == c.login.User && target.Password != c.login.Password {
			as := c.login
			as.Password = target.Password
			n, err = open(ctx, as, address)
		}
		if err != nil {
			return notThere(address, err)
		}
		c.rest = append(c.rest, n)
	}
	c.found = true
	return nil
}

// notThere says that a node cannot be changed. It is no refusal of the session's
// own login, which the seed took.
func notThere(address string, err error) error {
	f := &rotation.Fault{Class: rotation.Unavailable, Err: fmt.Errorf("the node %s, which keeps users of its own, cannot be changed: %v", address, err), Transient: true,
		Remedy: "Bring it up, or take it out of the replication or the cluster. Its address is what it announces (replica-announce-ip, cluster-announce-ip); with TLS, it replicates by TLS too (tls-replication, tls-cluster), and its certificate is for the secret's host or tlsServerName. Users have to be the same on all nodes."}
	if errors.Is(err, database.ErrLoginRefused) {
		f.Class, f.Transient = rotation.LoginRefused, false
		f.Remedy = fmt.Sprintf("Give this session's user the same password and rules at %s as at the other nodes, and switch it on there: access control lists are not replicated.", address)
	}
	return f
}

// addresses are those of the other nodes.
func (c *conn) addresses(ctx context.Context) ([]string, error) {
	if c.seed.mode == "cluster" {
		return c.clustered(ctx)
	}
	facts, err := c.replication(ctx)
	if err != nil {
		return nil, c.fault(err)
	}
	var all []string
	for _, f := range facts {
		if replica, ok := strings.CutPrefix(f[0], "slave"); ok && isNumber(replica) {
			is := fields(f[1])
			all = append(all, net.JoinHostPort(is["ip"], is["port"]))
		}
	}
	return all, nil
}

// replication is what INFO says of it, as names and values. ROLE would leave out a
// replica that is being filled, which has users of its own already.
func (c *conn) replication(ctx context.Context) (facts [][2]string, err error) {
	text, err := redis.String(c.seed.do(ctx, "INFO", "replication"))
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			facts = append(facts, [2]string{name, value})
		}
	}
	return facts, err
}

// fields reads a=b,c=d.
func fields(text string) map[string]string {
	all := map[string]string{}
	for f := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(f, "=")
		all[name] = value
	}
	return all
}

func isNumber(text string) bool {
	_, err := strconv.Atoi(text)
	return err == nil
}

// clustered are the addresses of the cluster's other nodes, primaries and replicas.
// CLUSTER SLOTS would leave out replicas of which nothing was heard yet.
// Source: Redis documentation, "CLUSTER SHARDS", "CLUSTER MYID".
func (c *conn) clustered(ctx context.Context) ([]string, error) {
	self, err := redis.String(c.seed.do(ctx, "CLUSTER", "MYID"))
	if err != nil {
		return nil, c.fault(err)
	}
	shards, err := redis.Values(c.seed.do(ctx, "CLUSTER", "SHARDS"))
	if err != nil {
		return nil, c.fault(err)
	}
	var all []string
	for _, s := range shards {
		nodes, err := redis.Values(facts(s)["nodes"], nil)
		if err != nil {
			return nil, fmt.Errorf("CLUSTER SHARDS answers in a form that is not known: %w", err)
		}
		for _, n := range nodes {
			m, err := c.member(n)
			switch {
			case err != nil:
				return nil, err
			case m.id == self:
			case m.failed && m.replica:
				c.login.Report.Notef("The replica %s is down, and keeps the users that it had. When it is back, and before it is a primary, rotate again.", m.address)
			default:
				all = append(all, m.address)
			}
		}
	}
	return all, nil
}

// A member is a node as its cluster tells of it.
type member struct {
	address, id     string
	replica, failed bool
}

// member reads one. An endpoint that is empty or not known is the host that was
// asked.
func (c *conn) member(node any) (m member, err error) {
	is := facts(node)
	port := "port"
	if c.login.TLS != nil {
		port = "tls-port"
	}
	number, err := redis.Int(is[port], nil)
	if err != nil {
		return m, fmt.Errorf("CLUSTER SHARDS tells of a node without a %s: %w", port, err)
	}
	name, _ := redis.String(is["endpoint"], nil)
	if name == "" || name == "?" {
		if name, _, err = net.SplitHostPort(c.seed.address); err != nil {
			return m, err
		}
	}
	m.address = net.JoinHostPort(name, strconv.Itoa(number))
	role, _ := redis.String(is["role"], nil)
	health, _ := redis.String(is["health"], nil)
	m.replica, m.failed = role == "replica" || role == "slave", health == "fail" || health == "failed"
	m.id, err = redis.String(is["id"], nil)
	return m, err
}

// facts reads an array of names and values in turn.
func facts(reply any) map[string]any {
	all := map[string]any{}
	values, _ := redis.Values(reply, nil) // whoever needs a fact finds it missing
	for i := 0; i+1 < len(values); i += 2 {
		name, _ := redis.String(values[i], nil)
		all[name] = values[i+1]
	}
	return all
}

// writable is an error unless the session is where users are changed.
func (c *conn) writable(ctx context.Context) error {
	if c.seed.role != "replica" {
		return nil
	}
	primary := "its primary"
	if facts, err := c.replication(ctx); err == nil {
		var host, port string
		for _, f := range facts {
			switch f[0] {
			case "master_host":
				host = f[1]
			case "master_port":
				port = f[1]
			}
		}
		primary = net.JoinHostPort(host, port)
	}
	return rotation.Fail(rotation.ReadOnly, "%s is a replica", c.seed.address).
		With(fmt.Sprintf("Point the secret's host and port at %s, or at a Sentinel, with the primary's name in %s.", primary, sentinelField))
}
