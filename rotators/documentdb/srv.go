package documentdb

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// A resolver looks up DNS records; *net.Resolver is one.
type resolver interface {
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
	LookupTXT(ctx context.Context, name string) ([]string, error)
}

// resolve finds the servers that a host name stands for. A server must be in the
// domain of that name, so that a false record cannot lead elsewhere; of a TXT
// record, only authSource and replicaSet may be set.
// Source: MongoDB specifications, "Initial DNS Seedlist Discovery".
func resolve(ctx context.Context, dns resolver, host string) (place, error) {
	var p place
	_, domain, ok := strings.Cut(host, ".")
	if !ok || !strings.Contains(domain, ".") || net.ParseIP(host) != nil {
		return p, rotation.Fail(rotation.BadSecret, "srv is true, but the host %q is no name in a domain of its own", host)
	}
	_, records, err := dns.LookupSRV(ctx, "mongodb", "tcp", host)
	if err != nil {
		return p, fmt.Errorf("looking up the servers of %s: %w", host, err)
	}
	for _, r := range records {
		target := strings.TrimSuffix(r.Target, ".")
		if !strings.HasSuffix(strings.ToLower(target), "."+strings.ToLower(strings.TrimSuffix(domain, "."))) {
			return p, rotation.Fail(rotation.BadSecret, "the SRV record of %s names the server %s, which is not in its domain", host, target)
		}
		p.hosts = append(p.hosts, net.JoinHostPort(target, fmt.Sprint(r.Port)))
	}
	if len(p.hosts) == 0 {
		return p, rotation.Fail(rotation.DNS, "%s has no SRV record", host)
	}
	texts, err := dns.LookupTXT(ctx, host)
	if err != nil || len(texts) != 1 {
		return p, nil // there need be none
	}
	settings, err := url.ParseQuery(texts[0])
	if err != nil {
		return p, rotation.Fail(rotation.BadSecret, "the TXT record of %s cannot be read", host)
	}
	p.authSource, p.replicaSet = settings.Get("authSource"), settings.Get("replicaSet")
	return p, nil
}
