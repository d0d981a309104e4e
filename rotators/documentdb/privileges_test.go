package documentdb

import (
	"slices"
	"testing"
)

func TestPrivilegesCoverWhatTheManualSays(t *testing.T) {
	for _, c := range []struct {
		on     resource
		action string
		covers []resource
		not    []resource
	}{
		{resource{Database: "shop"}, "viewUser", []resource{{Database: "shop"}}, []resource{{Database: "other"}, {Cluster: true}, {}}},
		{resource{}, "viewUser", []resource{{Database: "shop"}, {Database: "other"}, {Database: "admin"}}, []resource{{Cluster: true}, {Database: "config"}, {Database: "local"}}},
		{resource{Database: "config"}, "viewUser", []resource{{Database: "config"}}, []resource{{Database: "local"}}},
		{resource{Cluster: true}, "viewUser", []resource{{Cluster: true}}, []resource{{Database: "shop"}}},
		{resource{Any: true}, "anyAction", []resource{{Cluster: true}, {Database: "shop"}}, nil},
		{resource{Database: "shop", Collection: "orders"}, "viewUser", nil, []resource{{Database: "shop"}}},
		{resource{Database: "shop"}, "find", nil, []resource{{Database: "shop"}}},
	} {
		p := privileges{{Resource: c.on, Actions: []string{c.action}}}
		for _, on := range c.covers {
			if !p.allow("viewUser", on) {
				t.Errorf("%s on %v does not cover %v", c.action, c.on, on)
			}
		}
		for _, on := range c.not {
			if p.allow("viewUser", on) {
				t.Errorf("%s on %v covers %v", c.action, c.on, on)
			}
		}
	}
}

func TestPrivilegesAreTold(t *testing.T) {
	p := privileges{
		{resource{Any: true}, []string{"anyAction"}},
		{resource{Cluster: true}, []string{"shutdown", "serverStatus"}},
		{resource{}, []string{"find"}},
		{resource{Collection: "c"}, []string{"find"}},
		{resource{Database: "d"}, []string{"find"}},
		{resource{Database: "d", Collection: "c"}, []string{"find"}},
		{resource{Database: "d", Buckets: "b"}, []string{"find"}},
	}
	want := []string{"anyAction on any resource", "shutdown on the cluster", "serverStatus on the cluster", "find on all databases",
		"find on collection c of all databases", "find on database d", "find on collection d.c", "find on time series d.b"}
	if got := p.lines(); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}
