package documentdb

import (
	"slices"
	"strings"
)

// privileges are what a session may do, as connectionStatus tells it.
type privileges []privilege

type privilege struct {
	Resource resource `bson:"resource"`
	Actions  []string `bson:"actions"`
}

// A resource is what actions are allowed on. Without a database it is every
// database, without a collection all collections, except the system's.
// Source: MongoDB manual, "Resource Document".
type resource struct {
	Database   string `bson:"db"`
	Collection string `bson:"collection"`
	Buckets    string `bson:"system_buckets"`
	Cluster    bool   `bson:"cluster"`
	Any        bool   `bson:"anyResource"`
}

func (r resource) String() string {
	switch {
	case r.Any:
		return "any resource"
	case r.Cluster:
		return "the cluster"
	case r.Buckets != "":
		return "time series " + strings.TrimPrefix(r.Database+"."+r.Buckets, ".")
	case r.Database == "" && r.Collection == "":
		return "all databases"
	case r.Database == "":
		return "collection " + r.Collection + " of all databases"
	case r.Collection == "":
		return "database " + r.Database
	}
	return "collection " + r.Database + "." + r.Collection
}

// allow reports whether an action is allowed on a whole database or on the
// cluster. The databases that are the server's own are not among all databases:
// they have to be named. Source: seen on 4.4, 5.0 and 6.0.
func (p privileges) allow(action string, on resource) bool {
	return slices.ContainsFunc(p, func(one privilege) bool {
		r := one.Resource
		covers := r.Any || r == on || r == resource{} && !on.Cluster && on.Database != "local" && on.Database != "config"
		return covers && slices.ContainsFunc(one.Actions, func(a string) bool { return a == action || a == "anyAction" })
	})
}

// lines are the privileges, one for each action.
func (p privileges) lines() (lines []string) {
	for _, one := range p {
		for _, action := range one.Actions {
			lines = append(lines, action+" on "+one.Resource.String())
		}
	}
	return lines
}
