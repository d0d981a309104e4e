package documentdb

import (
	"context"
	"errors"
	"net"
	"slices"
	"testing"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// records is a DNS server's knowledge of one name.
type records struct {
	srv  []*net.SRV
	text []string
	err  error
}

func (r records) LookupSRV(_ context.Context, service, proto, _ string) (string, []*net.SRV, error) {
	if service != "mongodb" || proto != "tcp" {
		return "", nil, errors.New("another service")
	}
	return "", r.srv, r.err
}

func (r records) LookupTXT(context.Context, string) ([]string, error) {
	if len(r.text) == 0 {
		return nil, &net.DNSError{IsNotFound: true}
	}
	return r.text, nil
}

func TestANameLeadsToServersOfItsOwnDomainAlone(t *testing.T) {
	server := func(target string) []*net.SRV { return []*net.SRV{{Target: target, Port: 27018}} }
	for _, c := range []struct {
		name, host string
		dns        records
		want       place
		class      rotation.Class
	}{
		{name: "one", host: "db.example.com", dns: records{srv: server("a.example.com.")}, want: place{hosts: []string{"a.example.com:27018"}}},
		{name: "two", host: "db.example.com", dns: records{srv: append(server("a.example.com"), server("b.c.example.com.")...)}, want: place{hosts: []string{"a.example.com:27018", "b.c.example.com:27018"}}},
		{name: "settings", host: "db.example.com", dns: records{srv: server("A.Example.com"), text: []string{"authSource=x&replicaSet=rs&ssl=false"}},
			want: place{hosts: []string{"A.Example.com:27018"}, authSource: "x", replicaSet: "rs"}},
		{name: "another domain", host: "db.example.com", dns: records{srv: server("a.example.org")}, class: rotation.BadSecret},
		{name: "a domain that ends alike", host: "db.example.com", dns: records{srv: server("evil-example.com")}, class: rotation.BadSecret},
		{name: "one of several", host: "db.example.com", dns: records{srv: append(server("a.example.com"), server("a.evil.org")...)}, class: rotation.BadSecret},
		{name: "none", host: "db.example.com", class: rotation.DNS},
		{name: "no domain of its own", host: "example.com", dns: records{srv: server("a.com")}, class: rotation.BadSecret},
		{name: "an address", host: "10.0.0.1", class: rotation.BadSecret},
		{name: "settings that cannot be read", host: "db.example.com", dns: records{srv: server("a.example.com"), text: []string{"%zz"}}, class: rotation.BadSecret},
	} {
		got, err := resolve(t.Context(), c.dns, c.host)
		var f *rotation.Fault
		if c.class != "" {
			if !errors.As(err, &f) || f.Class != c.class {
				t.Errorf("%s: got %v", c.name, err)
			}
			continue
		}
		if err != nil || !slices.Equal(got.hosts, c.want.hosts) || got.authSource != c.want.authSource || got.replicaSet != c.want.replicaSet {
			t.Errorf("%s: got %v, %v", c.name, got, err)
		}
	}
	missing := &net.DNSError{Name: "db.example.com", IsNotFound: true}
	var dns *net.DNSError
	if _, err := resolve(t.Context(), records{err: missing}, "db.example.com"); !errors.As(err, &dns) {
		t.Errorf("got %v", err)
	}
}
