package documentdb

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"regexp"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// A place is where a user logs in, and what has to be known to get there.
type place struct {
	hosts      []string // host:port
	replicaSet string   // if set, its primary is looked for, starting from hosts
	discover   bool     // ask the hosts for the others
	authSource string   // of the session's user
	usual      string   // authSource of all users whose secret names none, if DNS has it
}

// locate reads the place from the secret: host and port, or the DNS records
// of host if "srv" is true; "replicaSet" and "authSource".
//
// Without replicaSet the connection goes to the host, and nowhere else: that is
// what a cluster endpoint of DocumentDB, a mongos or a single server are for.
func locate(ctx context.Context, l database.Login) (place, error) {
	if strings.ContainsAny(l.Host, "/,@?%\\ ") {
		return place{}, rotation.Fail(rotation.BadSecret, "the host %q is not a host name", l.Host)
	}
	p := place{hosts: []string{l.Address()}}
	switch srv := l.Secret.Text("srv"); srv {
	case "", "false":
	case "true":
		var err error
		if p, err = resolve(ctx, net.DefaultResolver, l.Host); err != nil {
			return p, err
		}
	default:
		return p, rotation.Fail(rotation.BadSecret, "the secret has %q in its field %q, which is true or false", srv, "srv")
	}
	if name := l.Secret.Text("replicaSet"); name != "" {
		p.replicaSet = name
	}
	var err error
	p.usual = p.authSource
	if p.authSource, err = authSource(l, p.usual); err != nil {
		return p, err
	}
	p.discover = p.replicaSet != "" || len(p.hosts) > 1
	return p, nil
}

// authSource is the database that a user is defined in: the secret's authSource,
// or else the usual one, or else the secret's dbname, or admin. On DocumentDB it is
// admin whatever the secret says.
// Source: MongoDB's specification "Connection String", authSource and the default
// authentication database; DocumentDB developer guide, "Managing Amazon DocumentDB
// users". AWS's rotation functions take dbname, or admin.
func authSource(l database.Login, usual string) (string, error) {
	if isAmazon(l) {
		return "admin", nil
	}
	name := cmp.Or(l.Secret.Text("authSource"), usual, l.Secret.Text("dbname"), "admin")
	if strings.ContainsAny(name, "/\\. \"$\x00") { // MongoDB manual, "Naming Restrictions"
		return "", rotation.Fail(rotation.BadSecret, "the authSource %q is not the name of a database", name)
	}
	return name, nil
}

// endpoint is the end of the names of DocumentDB's endpoints; in the regions of
// China the service comes before the region.
var endpoint = regexp.MustCompile(`(?i)\.(docdb|docdb-elastic)(\.cn-[a-z0-9-]+)?\.amazonaws\.com(\.cn)?\.?$`)

// isAmazon reports whether the server is Amazon DocumentDB: by the engine, or by
// the name of its endpoint, because the secrets that AWS makes for it say
// "mongo".
func isAmazon(l database.Login) bool {
	return l.Secret.Text("engine") == "documentdb" || endpoint.MatchString(l.Host)
}

// selection is how long a command waits for a primary, if the step may last so
// long: an election takes about ten seconds.
const selection = 15 * time.Second

// clientOptions fills the driver's settings. Nothing of them comes from a
// connection string. There is one connection with a login, and one to each
// server that watches it, without.
func clientOptions(ctx context.Context, l database.Login, p place, d *dialer) *options.ClientOptions {
	o := options.Client().
		SetHosts(p.hosts).
		SetDirect(!p.discover).
		SetAuth(options.Credential{AuthSource: p.authSource, Username: l.User, Password: l.Password, PasswordSet: true}).
		SetDialer(d).
		SetAppName("rotor").
		SetMinPoolSize(0).SetMaxPoolSize(1).SetMaxConnecting(1).
		SetServerMonitoringMode(options.ServerMonitoringModePoll).
		SetServerMonitor(&event.ServerMonitor{ServerDescriptionChanged: d.met}).
		SetServerSelectionTimeout(selection).
		SetRetryReads(false).SetRetryWrites(false).SetMaxAdaptiveRetries(0)
	if p.replicaSet != "" {
		o.SetReplicaSet(p.replicaSet)
	}
	if deadline, ok := ctx.Deadline(); ok {
		o.SetConnectTimeout(max(time.Until(deadline), time.Millisecond))
	}
	return o
}

func (p place) String() string {
	if p.replicaSet == "" {
		return strings.Join(p.hosts, ",")
	}
	return fmt.Sprintf("%s (replica set %q)", strings.Join(p.hosts, ","), p.replicaSet)
}
