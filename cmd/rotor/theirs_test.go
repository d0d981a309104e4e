package main_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"

	"github.com/go-sql-driver/mysql"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// sqlAs connects to MySQL or MariaDB.
func (d *desk) sqlAs(user, password string) (*sql.DB, error) {
	c := mysql.NewConfig()
	c.Net, c.Addr, c.User, c.Passwd = "tcp", net.JoinHostPort(d.e.server.Host, fmt.Sprint(d.e.server.Port)), user, password
	var err error
	if c.TLS, err = d.e.server.ClientTLS(); err != nil {
		return nil, err
	}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// grants are a user's, as SHOW GRANTS has them.
func grants(ctx context.Context, db *sql.DB, user string) (lines []string, err error) {
	rows, err := db.QueryContext(ctx, "SHOW GRANTS FOR `"+user+"`@`%`")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	return lines, rows.Err()
}

// copiedGrants gives the user the grants of the other one, line by line, as on MySQL and MariaDB: what stands behind the
// word TO, such as grant options, is lost.
func (d *desk) copiedGrants(ctx context.Context, admin map[string]any, user, from, password string) error {
	db, err := d.sqlAs(fmt.Sprint(admin["username"]), fmt.Sprint(admin["password"]))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	var there int
	if err := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM mysql.user WHERE User = ?", user).Scan(&there); err != nil {
		return err
	}
	account, text := "`"+user+"`@`%`", "'"+strings.ReplaceAll(password, "'", "''")+"'" // no backslash is in it
	if there == 0 {
		if _, err := db.ExecContext(ctx, "CREATE USER "+account+" IDENTIFIED BY "+text); err != nil {
			return err
		}
	}
	lines, err := grants(ctx, db, from)
	for _, line := range lines {
		what, _, _ := strings.Cut(line, " TO ")
		_, failed := db.ExecContext(ctx, what+" TO "+account)
		err = errors.Join(err, failed)
	}
	_, failed := db.ExecContext(ctx, "ALTER USER "+account+" IDENTIFIED BY "+text)
	return errors.Join(err, failed)
}

// mongoAs connects to MongoDB.
func (d *desk) mongoAs(ctx context.Context, user, password string, commands func(*mongo.Database) error) error {
	config, err := d.e.server.ClientTLS()
	if err != nil {
		return err
	}
	o := options.Client().SetHosts([]string{net.JoinHostPort(d.e.server.Host, fmt.Sprint(d.e.server.Port))}).SetDirect(true).SetTLSConfig(config).
		SetAuth(options.Credential{AuthSource: "admin", Username: user, Password: password})
	client, err := mongo.Connect(o)
	if err != nil {
		return err
	}
	return errors.Join(commands(client.Database("admin")), client.Disconnect(context.WithoutCancel(ctx)))
}

// roles are a user's. There is false if there is no such user.
func roles(ctx context.Context, db *mongo.Database, user string) (roles bson.A, there bool, err error) {
	var out struct{ Users []struct{ Roles bson.A } }
	if err := db.RunCommand(ctx, bson.D{{Key: "usersInfo", Value: user}}).Decode(&out); err != nil || len(out.Users) == 0 {
		return nil, false, err
	}
	return out.Users[0].Roles, true, nil
}

// copiedRoles gives the user, when it makes it, the roles of the other one, as on MongoDB.
func (d *desk) copiedRoles(ctx context.Context, admin map[string]any, user, from, password string) error {
	return d.mongoAs(ctx, fmt.Sprint(admin["username"]), fmt.Sprint(admin["password"]), func(db *mongo.Database) error {
		_, there, err := roles(ctx, db, user)
		if err != nil {
			return err
		}
		if there {
			return db.RunCommand(ctx, bson.D{{Key: "updateUser", Value: user}, {Key: "pwd", Value: password}}).Err()
		}
		has, _, err := roles(ctx, db, from)
		if err != nil {
			return err
		}
		return db.RunCommand(ctx, bson.D{{Key: "createUser", Value: user}, {Key: "pwd", Value: password}, {Key: "roles", Value: has}}).Err()
	})
}

// ofDatabase finds what INSERT was granted on.
var ofDatabase = regexp.MustCompile("INSERT.* ON (`[^`]+`\\.\\*) TO ")

// revoke takes from a user, as the server's administrator, a right that it needs for its work.
func (d *desk) revoke(ctx context.Context, user string) error {
	if d.e.name == "mongo" {
		return d.mongoAs(ctx, d.e.server.AdminUser, d.e.server.AdminPassword, func(db *mongo.Database) error {
			has, _, err := roles(ctx, db, user)
			if err != nil || len(has) == 0 {
				return fmt.Errorf("roles of %s: %v, %w", user, has, err)
			}
			return db.RunCommand(ctx, bson.D{{Key: "revokeRolesFromUser", Value: user}, {Key: "roles", Value: has[:1]}}).Err()
		})
	}
	db, err := d.sqlAs(d.e.server.AdminUser, d.e.server.AdminPassword)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	lines, err := grants(ctx, db, user)
	if err != nil {
		return err
	}
	for _, line := range lines {
		if m := ofDatabase.FindStringSubmatch(line); m != nil {
			_, err := db.ExecContext(ctx, "REVOKE INSERT ON "+m[1]+" FROM `"+user+"`@`%`")
			return err
		}
	}
	return fmt.Errorf("%s has no INSERT: %q", user, lines)
}
