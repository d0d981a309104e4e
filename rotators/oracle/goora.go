package oracle

import (
	"context"
	"database/sql/driver"
	"fmt"
	"net"
	"os"
	"strings"

	goora "github.com/sijms/go-ora/v2"
	"github.com/sijms/go-ora/v2/configurations"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// goOra is the Client of the product.
func goOra(l database.Login, d Dialer) (driver.Connector, error) {
	return &connector{config(l), d}, nil
}

// A connector opens sessions of go-ora. Its own takes a connection string,
// which would have to be made of the secret.
type connector struct {
	config *configurations.ConnectionConfig
	dialer Dialer
}

// Connect implements driver.Connector. The wire alone heeds the end of ctx.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	cfg := *c.config
	cfg.RegisterDial(func(_ context.Context, network, address string) (net.Conn, error) {
		return c.dialer.DialContext(ctx, network, address)
	})
	conn, err := goora.NewConnection("", &cfg)
	if err != nil {
		return nil, err
	}
	return conn, conn.OpenWithContext(context.WithoutCancel(ctx))
}

// Driver implements driver.Connector.
func (c *connector) Driver() driver.Driver { return goora.NewDriver() }

// config fills go-ora's struct: nothing comes from a connection string, the
// environment, tnsnames.ora or a wallet. There is one server, so that nothing is
// tried again elsewhere; no trace file; and no time-out beside the context's.
//
// go-ora verifies a certificate for the name that it believes to dial, and so it
// is given the name in the certificate; the wire dials the secret's host.
//
// Without TLS, native network encryption and checksums are asked for, and go-ora
// goes on where the server takes no part. (Both sides make the key by an
// exchange that proves no identity: it keeps listeners out, not impostors.)
// With TLS they are only accepted, as the server may refuse to have both.
func config(l database.Login) *configurations.ConnectionConfig {
	c := &configurations.ConnectionConfig{PrefetchRows: 100}
	c.UserID, c.Password = l.User, l.Password
	c.ServiceName, c.SID = l.Database, l.Secret.Text("sid")
	c.Protocol = "tcp"
	c.TransportDataUnitSize, c.SessionDataUnitSize = 0x200000, 0x200000 // go-ora's own defaults
	c.Language, c.Territory = "AMERICAN", "AMERICA"                     // so that messages are English
	c.ProgramName, c.ProgramPath, c.HostName, c.OSUserName = "rotor", "rotor", "rotor", "rotor"
	c.DriverName, c.PID = "OracleClientGo", os.Getpid()
	name := l.Host
	const accepted, requested = 0, 2
	c.EncServiceLevel, c.IntServiceLevel = requested, requested
	if l.TLS != nil {
		name = l.TLS.ServerName
		c.Protocol, c.SSL, c.SSLVerify, c.TLSConfig = "tcps", true, true, l.TLS.Clone()
		c.EncServiceLevel, c.IntServiceLevel = accepted, accepted
	}
	c.Servers = []configurations.ServerAddr{{Protocol: c.Protocol, Addr: name, Port: l.Port}}
	return c
}

// checkDescriptor refuses what would be more than a name in the connect
// descriptor, which go-ora joins from these texts as they are: parentheses in
// them could name another server.
func checkDescriptor(l database.Login) error {
	fields := []struct{ field, value, marks string }{{"host", l.Host, ".-_:%"}, {"dbname", l.Database, ".-_$#"}, {"sid", l.Secret.Text("sid"), "._-$#"}}
	if l.TLS != nil {
		fields = append(fields, struct{ field, value, marks string }{"tlsServerName", l.TLS.ServerName, ".-_:%"})
	}
	for _, f := range fields {
		if strings.ContainsFunc(f.value, func(r rune) bool { return !strings.ContainsRune(letters+f.marks, r) }) {
			return &rotation.Fault{Class: rotation.BadSecret, Err: fmt.Errorf("the secret's %s is %q, which has characters that no such name has", f.field, f.value)}
		}
	}
	return nil
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
