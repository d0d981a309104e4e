package mysql

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
)

// serves reports whether accounts of host are for clients that come from there. A
// host is a pattern as LIKE has it, or an address with a netmask; an empty one is
// every host.
// Source: MySQL manual, "Specifying Account Names".
func serves(host, from string) bool {
	if address, mask, ok := strings.Cut(host, "/"); ok {
		return inNetwork(address, mask, from)
	}
	return host == "" || like(strings.ToLower(host), strings.ToLower(from))
}

func inNetwork(address, mask, from string) bool {
	network, err1 := netip.ParseAddr(address)
	client, err2 := netip.ParseAddr(from)
	if err1 != nil || err2 != nil {
		return false
	}
	if prefix, err := netip.ParsePrefix(address + "/" + mask); err == nil {
		return prefix.Contains(client.Unmap())
	}
	m, err := netip.ParseAddr(mask)
	n, c := network.AsSlice(), client.Unmap().AsSlice()
	if err != nil || len(n) != len(c) || len(n) != len(m.AsSlice()) {
		return false
	}
	for i, b := range m.AsSlice() {
		if c[i]&b != n[i] {
			return false
		}
	}
	return true
}

// taken is the account of a user's that the servers take for a client from there:
// the one whose host says most. It reports false where that cannot be told: of a
// client that is known by its name, the server knows the address too.
// Source: MySQL manual, "Access Control, Stage 1: Connection Verification".
func taken(accounts []target, from string) (target, bool) {
	if _, err := netip.ParseAddr(from); err != nil && slices.ContainsFunc(accounts, func(t target) bool { return ofAddresses(t.host) }) {
		return target{}, false
	}
	serving := slices.DeleteFunc(slices.Clone(accounts), func(t target) bool { return !serves(t.host, from) })
	if len(serving) == 0 {
		return target{}, false
	}
	return slices.MaxFunc(serving, func(a, b target) int { return cmp.Compare(says(a.host), says(b.host)) }), true
}

// ofAddresses: a host begins as addresses do, and names do not.
func ofAddresses(host string) bool {
	return host != "" && (host[0] >= '0' && host[0] <= '9' || strings.Contains(host, ":"))
}

// says is how much a host says: up to its first wildcard.
func says(host string) int {
	if i := strings.IndexAny(host, "%_"); i >= 0 {
		return i
	}
	if host == "" {
		return 0
	}
	return maxHost + len(host)
}

// maxHost is the length of a host name.
const maxHost = 255
