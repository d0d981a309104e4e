package redistest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/seed492efc12/rotor/internal/servertest"
)

// A Server is one node or several. It may be used from many goroutines.
type Server struct {
	servertest.Server
	product string
	shape   Shape
	newest  bool

	starter   starter
	nodes     []*servertest.Process // the primary first, or a cluster's primaries
	sentinels []*servertest.Process
	watch     *watcher
}

// Engine is what a secret's engine is.
func (s *Server) Engine() string { return s.product }

// Shape is how many nodes the server has.
func (s *Server) Shape() Shape { return s.shape }

// IsNewest says whether no newer version of the product is wanted.
func (s *Server) IsNewest() bool { return !s.Ours || s.newest }

// Ports are those of all nodes, a Sentinel's left out.
func (s *Server) Ports() (all []int) {
	if !s.Ours {
		return []int{s.Port}
	}
	for _, n := range s.nodes {
		all = append(all, n.Port)
	}
	return all
}

// Place are the fields of a secret that say where the server is.
func (s *Server) Place() map[string]any {
	fields := map[string]any{"engine": s.product, "host": s.Host, "port": s.Port, "ssl": s.TLS != servertest.TLSOff}
	if len(s.sentinels) > 0 {
		fields["port"], fields["sentinelMaster"] = s.sentinels[0].Port, master
		fields["sentinelUsername"], fields["sentinelPassword"] = s.AdminUser, s.AdminPassword
	}
	return fields
}

// halt ends all nodes.
func (s *Server) halt() error {
	var errs []error
	if s.watch != nil {
		s.watch.close()
	}
	for _, n := range slices.Concat(s.sentinels, s.nodes) {
		errs = append(errs, n.Stop())
	}
	return errors.Join(errs...)
}

// Connect logs in at a port, with verified TLS if the server has any. The error is the client library's own.
func (s *Server) Connect(ctx context.Context, port int, user, password string) (redis.Conn, error) {
	config, err := s.ClientTLS()
	if err != nil {
		return nil, err
	}
	var d net.Dialer
	raw, err := d.DialContext(ctx, "tcp", net.JoinHostPort(s.Host, strconv.Itoa(port)))
	if err != nil {
		return nil, err
	}
	if config != nil {
		raw = tls.Client(raw, config)
	}
	c := redis.NewConn(raw, 20*time.Second, 20*time.Second)
	if _, err := c.Do("AUTH", user, password); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// Primary is the port where writes go now, which a failover changes.
func (s *Server) Primary(ctx context.Context) (int, error) {
	if len(s.sentinels) == 0 {
		return s.Port, nil
	}
	c, err := s.Connect(ctx, s.sentinels[0].Port, s.AdminUser, s.AdminPassword)
	if err != nil {
		return 0, err
	}
	defer func() { _ = c.Close() }()
	place, err := redis.Strings(c.Do("SENTINEL", "GET-MASTER-ADDR-BY-NAME", master))
	if err != nil || len(place) != 2 {
		return 0, fmt.Errorf("asking the Sentinel: %v", err)
	}
	return strconv.Atoi(place[1])
}

// Do runs a command as the administrator at a port.
func (s *Server) Do(ctx context.Context, port int, command string, arguments ...any) (any, error) {
	c, err := s.Connect(ctx, port, s.AdminUser, s.AdminPassword)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	return c.Do(command, arguments...)
}

// Everywhere runs a command as the administrator at all nodes: access control lists are not replicated.
func (s *Server) Everywhere(ctx context.Context, command string, arguments ...any) error {
	for _, port := range s.Ports() {
		if _, err := s.Do(ctx, port, command, arguments...); err != nil {
			return fmt.Errorf("port %d: %w", port, err)
		}
	}
	return nil
}

// meet makes a cluster of the nodes.
func (s *Server) meet(ctx context.Context) error {
	const slots = 16384
	share := (slots + len(s.nodes) - 1) / len(s.nodes)
	for i, n := range s.nodes {
		if _, err := s.Do(ctx, n.Port, "CLUSTER", "ADDSLOTSRANGE", i*share, min((i+1)*share, slots)-1); err != nil {
			return err
		}
		if _, err := s.Do(ctx, n.Port, "CLUSTER", "SET-CONFIG-EPOCH", i+1); err != nil {
			return err
		}
		if _, err := s.Do(ctx, s.Port, "CLUSTER", "MEET", s.Host, n.Port, n.Port-20000); err != nil {
			return err
		}
	}
	for _, n := range s.nodes {
		err := until(ctx, func() (bool, error) {
			info, err := redis.String(s.Do(ctx, n.Port, "CLUSTER", "INFO"))
			return strings.Contains(info, "cluster_state:ok") && strings.Contains(info, fmt.Sprintf("cluster_known_nodes:%d", len(s.nodes))), err
		})
		if err != nil {
			return fmt.Errorf("waiting for the cluster: %w", err)
		}
	}
	return nil
}

// linked waits until a replica has what its primary has.
func (s *Server) linked(ctx context.Context, replica *servertest.Process) error {
	err := until(ctx, func() (bool, error) {
		info, err := redis.String(s.Do(ctx, replica.Port, "INFO", "replication"))
		return strings.Contains(info, "master_link_status:up"), err
	})
	if err != nil {
		return fmt.Errorf("waiting for the replica: %w\n%s", err, replica.Output.Since(0))
	}
	return nil
}

func until(ctx context.Context, done func() (bool, error)) error {
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Failover makes the replica the primary, as the Sentinel does when the primary is gone.
func (s *Server) Failover(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	before, err := s.Primary(ctx)
	if err != nil {
		t.Fatal(err)
	}
	err = until(ctx, func() (bool, error) { // it refuses while it has not heard of a replica since the last one
		_, err := s.Do(ctx, s.sentinels[0].Port, "SENTINEL", "FAILOVER", master)
		return err == nil, nil
	})
	if err != nil {
		t.Fatalf("asking for a failover: %v", err)
	}
	err = until(ctx, func() (bool, error) { // nodes hang up on everybody meanwhile
		now, err := s.Primary(ctx)
		if err != nil || now == before {
			return false, nil
		}
		role, err := redis.String(s.Do(ctx, before, "INFO", "replication"))
		return err == nil && strings.Contains(role, "role:slave") && strings.Contains(role, "master_link_status:up"), nil
	})
	if err != nil {
		t.Fatalf("waiting for the failover: %v", err)
	}
}

// Sentinels starts more of them, until there are that many and all know each other, and returns their ports. The first is the
// one that Place names.
func (s *Server) Sentinels(t testing.TB, count int) (ports []int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for len(s.sentinels) < count {
		if err := s.starter.sentinel(); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range s.sentinels {
		ports = append(ports, n.Port)
		err := until(ctx, func() (bool, error) {
			others, err := redis.Values(s.Do(ctx, n.Port, "SENTINEL", "SENTINELS", master))
			return len(others) == count-1, err
		})
		if err != nil {
			t.Fatalf("waiting for the Sentinels: %v", err)
		}
	}
	return ports
}

// StopSentinel ends the first Sentinel: the next one is asked from then on.
func (s *Server) StopSentinel(t testing.TB) {
	t.Helper()
	if err := s.sentinels[0].Stop(); err != nil {
		t.Fatal(err)
	}
	s.sentinels = s.sentinels[1:]
}

// AddReplica adds a replica of the first node to a cluster.
func (s *Server) AddReplica(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.starter.node(clustered...); err != nil {
		t.Fatal(err)
	}
	replica := s.nodes[len(s.nodes)-1]
	id, err := redis.String(s.Do(ctx, s.Port, "CLUSTER", "MYID"))
	if err == nil {
		_, err = s.Do(ctx, s.Port, "CLUSTER", "MEET", s.Host, replica.Port, replica.Port-20000)
	}
	if err != nil {
		t.Fatal(err)
	}
	err = until(ctx, func() (bool, error) { // it refuses until it has heard of the primary
		_, err := s.Do(ctx, replica.Port, "CLUSTER", "REPLICATE", id)
		return err == nil, nil
	})
	if err == nil {
		err = s.linked(ctx, replica)
	}
	for _, n := range s.nodes {
		err = errors.Join(err, until(ctx, func() (bool, error) {
			text, err := redis.String(s.Do(ctx, n.Port, "CLUSTER", "NODES"))
			return strings.Count(text, " connected") == len(s.nodes) && strings.Contains(text, "slave "+id), err
		}))
	}
	if err != nil {
		t.Fatalf("adding a replica: %v", err)
	}
}

// Monitor has the Sentinel watch another primary, of that name.
func (s *Server) Monitor(t testing.TB, name string, port int) {
	t.Helper()
	if _, err := s.Do(context.Background(), s.sentinels[0].Port, "SENTINEL", "MONITOR", name, s.Host, port, 1); err != nil {
		t.Fatal(err)
	}
}

// Again starts the first node once more, with the files that it has now, and returns the port: what it does not find in
// them is forgotten. Both run until the server ends.
func (s *Server) Again(t testing.TB) (port int) {
	t.Helper()
	files := map[string]string{}
	for _, name := range []string{configFile, usersFile, caFile, servertest.CertFile, servertest.KeyFile} {
		text, err := os.ReadFile(filepath.Join(s.nodes[0].Folder, name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(text)
	}
	// What the command line says was written into the file too, with the old port and folder.
	var lines []string
	for line := range strings.Lines(files[configFile]) {
		if !strings.HasPrefix(line, "dir ") && !strings.HasPrefix(line, "tls-port ") && !strings.HasPrefix(line, "port ") {
			lines = append(lines, line)
		}
	}
	files[configFile] = strings.Join(lines, "")
	run, err := s.starter.exec(files)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := run.Stop(); err != nil {
			t.Error(err)
		}
	})
	return run.Port
}
