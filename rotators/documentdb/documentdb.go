// Package documentdb rotates users of Amazon DocumentDB and of MongoDB.
//
// A user belongs to an authentication database: the secret's authSource, or else its
// dbname, or "admin"; on DocumentDB always "admin". A
// clone lives in the database of its original, and its roles, mechanisms,
// authentication restrictions and custom data are made the original's at each
// rotation.
//
// Neither server takes a SCRAM-SHA-256 password as a hash (digestPassword is
// for SCRAM-SHA-1 alone), so that createUser and updateUser carry it as text:
// over TLS, unless the secret says "ssl": false or the operator set
// TLS_FALLBACK=plaintext, and then the step's log says so. MongoDB leaves it out
// of its log; the SCRAM keys that it makes of the password are there, if the
// write is slow enough to be logged (seen on 4.4 and 6.0).
//
// What is known of DocumentDB here comes from its manual, and has not been
// checked on a real cluster. Where the manual is silent, this package does
// without: see conn.amazon. A server is taken for DocumentDB by the engine of
// the secret or the name of its endpoint; behind an alias (CNAME) the secret's
// engine has to be "documentdb".
package documentdb

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// Driver rotates users of MongoDB and DocumentDB. Secrets that the AWS console
// makes for DocumentDB have the engine "mongo" as well.
var Driver = database.Driver{
	Engines:   []string{"mongo", "documentdb"},
	Port:      27017,
	Database:  "admin",
	Fields:    []string{"authSource", "replicaSet", "srv"},
	Connect:   database.AsConn(connect),
	CheckUser: checkUser,
	Cloning: &database.Cloning{
		Suffix:  "_clone",
		Connect: database.AsAdministrator(connect),
	},
	// Source: Amazon DocumentDB developer guide, quotas and limits: 8 to 100
	// printable ASCII characters without slash, double quote and at sign.
	// MongoDB takes all of them.
	Password: database.PasswordRules{Exclude: `/"@`, Min: 8, Max: 100},
}

// checkUser refuses users that are the server's own. DocumentDB's manual
// ("Managing Amazon DocumentDB users") says of serviceadmin that nobody may
// change it; __system is what the members of a MongoDB replica set are to each
// other.
func checkUser(user string) error {
	if user == "serviceadmin" || user == "__system" {
		return rotation.Fail(rotation.BadSecret, "the user %q is the server's own", user)
	}
	return nil
}

// conn is a session: one authenticated connection to one server. A session that
// loses it is over, because another one would be another login, and perhaps
// with a password that was just changed.
type conn struct {
	client *mongo.Client
	dialer *dialer
	place  place
	login  database.Login
	// amazon says that the server is Amazon DocumentDB. It gets no field whose
	// meaning there is unknown: showPrivileges, showAuthenticationRestrictions,
	// authenticationRestrictions, customData, writeConcern (each of its writes
	// is on a majority of the storage's copies before it is answered).
	amazon bool
	// primary says that the server was one when this session asked last.
	primary bool
	// granted are the session's privileges, or nil if the server does not tell.
	granted privileges
	// roles are the session's, those that they include among them.
	roles []role
	// rehearsed is what a rehearsed Clone would have made, as far as a password takes
	// it: nil if there was none.
	rehearsed *user
	// home is the database that the session's user is defined in.
	home string
}

func connect(ctx context.Context, l database.Login) (*conn, error) {
	p, err := locate(ctx, l)
	if err != nil {
		return nil, err
	}
	attempt, end := context.WithCancelCause(ctx)
	defer end(nil)
	c := &conn{dialer: newDialer(l, p, end), place: p, login: l, amazon: isAmazon(l), home: p.authSource}
	if c.client, err = mongo.Connect(clientOptions(ctx, l, p, c.dialer)); err != nil {
		return nil, rotation.Fail(rotation.BadSecret, "the secret makes no connection: %w", err)
	}
	err = c.prove(attempt)
	c.dialer.close()
	if err != nil {
		if cause := context.Cause(attempt); ctx.Err() == nil && cause != nil {
			err = cause
		}
		c.disconnect(0)
		return nil, c.connectFault(err)
	}
	return c, nil
}

// prove logs in: the first command opens the connection.
func (c *conn) prove(ctx context.Context) error {
	s, err := c.status(ctx)
	c.granted, c.roles = s.Privileges, s.Roles
	return err
}

// Check implements database.Conn.
func (c *conn) Check(ctx context.Context) error {
	_, err := c.status(ctx)
	return err
}

// farewell is how long a session may take to tell the server that it is over.
const farewell = 500 * time.Millisecond

// Close implements database.Conn.
func (c *conn) Close() error {
	c.disconnect(farewell)
	return nil
}

// disconnect ends the connections and what watches them.
func (c *conn) disconnect(within time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	_ = c.client.Disconnect(ctx)
}
