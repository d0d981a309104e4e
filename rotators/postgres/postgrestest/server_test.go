package postgrestest

import (
	"context"
	"crypto/md5"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/local/localtls"
)

func TestTLSIsVerifiedAndPlainTextRefused(t *testing.T) {
	s := on(t, Config{})
	closeAndWait(admin(t, s))
	if code := sqlState(plain(t, s)); code != "28000" {
		t.Errorf("plain text: got %s", code)
	}
}

func TestServerWithoutTLS(t *testing.T) {
	s := on(t, Config{Options: servertest.Options{TLS: servertest.TLSOff}})
	closeAndWait(admin(t, s)) // Connect knows that there is none
	s.TLS = servertest.TLSRequired
	if _, err := s.Admin(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "server refused TLS connection") {
		t.Errorf("with TLS: %v", err)
	}
}

func TestServerWithOptionalTLS(t *testing.T) {
	s := on(t, Config{Options: servertest.Options{TLS: servertest.TLSOptional}})
	closeAndWait(admin(t, s))
	if err := plain(t, s); err != nil {
		t.Errorf("plain text: %v", err)
	}
}

func TestFaultyCertificatesAreRefusedByTheClient(t *testing.T) {
	s := on(t, Config{Options: servertest.Options{Certificate: localtls.Expired}})
	_, err := s.Admin(t.Context(), "")
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); !ok || invalid.Reason != x509.Expired {
		t.Errorf("got %v", err)
	}
}

func TestMD5Passwords(t *testing.T) {
	s := on(t, Config{MD5: true})
	box := s.Fresh(t)
	app := box.Role("app")
	box.Exec(t, "CREATE ROLE "+app+" LOGIN PASSWORD 'old'")
	box.Connect(t, app, "old")
	box.Exec(t, "ALTER ROLE "+app+" PASSWORD 'md5"+fmt.Sprintf("%x", md5.Sum([]byte("new"+app)))+"'")
	box.Connect(t, app, "new")
	box.Exec(t, "ALTER ROLE "+app+" PASSWORD '"+goodVerifier+"'") // such a server takes both
	box.Connect(t, app, "verified")
	if _, err := s.Connect(t.Context(), app, "new", box.Database); sqlState(err) != "28P01" {
		t.Errorf("the password before: %v", err)
	}
}

func TestStandbyIsReadOnlyAndKnowsTheRoles(t *testing.T) {
	s := on(t, Config{})
	box := s.Fresh(t)
	app := box.Role("app")
	box.Exec(t, "CREATE ROLE "+app+" LOGIN PASSWORD 'old'")
	standby, err := s.Standby()
	if err != nil {
		t.Fatal(err)
	}
	defer standby.Close()
	conn, err := standby.Connect(t.Context(), app, "old", box.Database)
	if err != nil {
		t.Fatal(err)
	}
	defer closeAndWait(conn)
	var recovery bool
	if err := conn.QueryRow(t.Context(), "SELECT pg_is_in_recovery()").Scan(&recovery); err != nil || !recovery {
		t.Errorf("in recovery: %v, %v", recovery, err)
	}
	if _, err := conn.Exec(t.Context(), "ALTER ROLE "+app+" PASSWORD 'new'"); sqlState(err) != "25006" {
		t.Errorf("writing: %v", err)
	}
	if _, err := conn.Exec(t.Context(), "BEGIN READ WRITE"); sqlState(err) != "0A000" {
		t.Errorf("BEGIN READ WRITE: %v", err)
	}
}

func TestReadOnlyByDefault(t *testing.T) {
	s := on(t, Config{Options: servertest.Options{Settings: map[string]string{"default_transaction_read_only": "on"}}})
	conn := admin(t, s)
	defer closeAndWait(conn)
	if _, err := conn.Exec(t.Context(), "CREATE ROLE app"); sqlState(err) != "25006" {
		t.Errorf("got %v", err)
	}
	if _, err := conn.Exec(t.Context(), "BEGIN READ WRITE; CREATE ROLE app; ROLLBACK"); err != nil {
		t.Errorf("BEGIN READ WRITE: %v", err)
	}
}

func TestTheLogHoldsStatementsAndTheirArguments(t *testing.T) {
	s := on(t, Config{})
	conn := admin(t, s)
	defer closeAndWait(conn)
	for _, text := range []string{"simple-7Q", "argument-8R", "failing-9S"} {
		if strings.Contains(s.Log(), text) {
			t.Errorf("%s is in the log before it was sent", text)
		}
	}
	conn.Exec(t.Context(), "SELECT 'simple-7Q'")
	conn.QueryRow(t.Context(), "SELECT $1::text", "argument-8R").Scan(new(string))
	conn.Exec(t.Context(), "ALTER ROLE nobody PASSWORD 'failing-9S'")
	for _, text := range []string{"simple-7Q", "argument-8R", "failing-9S"} {
		if !strings.Contains(s.Log(), text) {
			t.Errorf("%s is not in the log:\n%s", text, s.Log())
		}
	}
}

func TestLoginsAreCounted(t *testing.T) {
	s := on(t, Config{})
	box := s.Fresh(t)
	app, locked := box.Role("app"), box.Role("locked")
	box.Exec(t, "CREATE ROLE "+app+" LOGIN PASSWORD 'old'", "CREATE ROLE "+locked+" PASSWORD 'old'")
	mark := s.Mark()
	conn := box.Connect(t, app, "old")
	conn.Exec(t.Context(), "SELECT '\n2026-01-01 00:00:00.000 UTC [1] 00000 LOG:  connection authorized: user=forged'")
	s.Connect(t.Context(), app, "bad", box.Database)
	s.Connect(t.Context(), box.Role("nobody"), "bad", box.Database)
	s.Connect(t.Context(), locked, "old", box.Database)
	if accepted, refused := s.LoginsSince(mark); accepted != 1 || refused != 3 {
		t.Errorf("%d accepted and %d refused; want 1 and 3:\n%s", accepted, refused, s.LogSince(mark))
	}
}

// Drivers go by the routine where a code has several causes.
func TestRefusedLoginsNameTheRoutineThatRefusedThem(t *testing.T) {
	s := on(t, Config{})
	box := s.Fresh(t)
	app, locked, full := box.Role("app"), box.Role("locked"), box.Role("full")
	box.Exec(t, "CREATE ROLE "+app+" LOGIN PASSWORD 'old'", "CREATE ROLE "+locked+" PASSWORD 'old'",
		"CREATE ROLE "+full+" LOGIN PASSWORD 'old' CONNECTION LIMIT 0")
	login := func(user, password, database string) error {
		_, err := s.Connect(t.Context(), user, password, database)
		return err
	}
	for want, err := range map[string]error{
		"28P01 auth_failed":             login(app, "bad", box.Database),
		"28000 InitializeSessionUserId": login(locked, "old", box.Database),
		"53300 InitializeSessionUserId": login(full, "old", box.Database),
		"3D000 InitPostgres":            login(app, "old", "nowhere"),
		"28000 ClientAuthentication":    plain(t, s),
	} {
		if got, ok := errors.AsType[*pgconn.PgError](err); !ok || got.Code+" "+got.Routine != want {
			t.Errorf("want %s: got %+v", want, err)
		}
	}
}

func TestAFullServer(t *testing.T) {
	few := map[string]string{"max_connections": "4", "superuser_reserved_connections": "0", "max_wal_senders": "0"}
	s := on(t, Config{Options: servertest.Options{Settings: few}})
	var err error
	for range 6 {
		var conn *pgx.Conn
		if conn, err = s.Admin(t.Context(), ""); err != nil {
			break
		}
		defer closeAndWait(conn)
	}
	if sqlState(err) != "53300" {
		t.Errorf("got %v", err)
	}
}

func TestFreshLeavesNoRolesBehind(t *testing.T) {
	Each(t, func(t *testing.T, s *Server) {
		var app string
		t.Run("inner", func(t *testing.T) {
			box := s.Fresh(t)
			app = box.Role("app")
			box.Exec(t, "CREATE ROLE "+app, `CREATE ROLE "`+app+`_clone" IN ROLE `+app)
			box.Admin(t) // a connection that is still open does not stand in the way
		})
		conn := admin(t, s)
		defer closeAndWait(conn)
		err := conn.QueryRow(t.Context(), "SELECT rolname FROM pg_roles WHERE rolname = $1", app+"_clone").Scan(new(string))
		if !errors.Is(err, pgx.ErrNoRows) {
			t.Errorf("%s_clone is still there: %v", app, err)
		}
	})
}

func TestExistingServerByConnectionString(t *testing.T) {
	s := on(t, Config{})
	ca := filepath.Join(t.TempDir(), "ca file.pem")
	if err := os.WriteFile(ca, s.CA, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dsn := range []string{
		fmt.Sprintf("postgres://%s:%s@%s:%d/postgres?sslmode=verify-full&sslrootcert=%s",
			s.AdminUser, s.AdminPassword, s.Host, s.Port, url.PathEscape(ca)),
		fmt.Sprintf("host=%s port=%d user=%s password=%s dbname=postgres sslmode=verify-full sslrootcert='%s'",
			s.Host, s.Port, s.AdminUser, s.AdminPassword, ca),
	} {
		t.Setenv("ROTOR_TEST_POSTGRES", dsn)
		existing, err := Best(Config{})
		if err != nil {
			t.Fatal(err)
		}
		if existing.Major != s.Major || existing.HasLog() || existing.Port != s.Port {
			t.Errorf("got %s, major %d, log %v", existing.Name(), existing.Major, existing.HasLog())
		}
		if _, err := existing.Standby(); err == nil {
			t.Error("a standby of somebody else's server")
		}
		closeAndWait(admin(t, existing))
	}
}

func admin(t *testing.T, s *Server) *pgx.Conn {
	t.Helper()
	conn, err := s.Admin(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// plain logs in without TLS.
func plain(t *testing.T, s *Server) error {
	t.Helper()
	config, err := pgx.ParseConfig("sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	config.Host, config.Port, config.Database = s.Host, uint16(s.Port), s.Database
	config.User, config.Password = s.AdminUser, s.AdminPassword
	conn, err := pgx.ConnectConfig(context.Background(), config)
	if err == nil {
		err = closeAndWait(conn)
	}
	return err
}

// goodVerifier is that of the password "verified", computed by RFC 5802's formulas elsewhere.
const goodVerifier = "SCRAM-SHA-256$4096:MDEyMzQ1Njc4OWFiY2RlZg==$vUBttwHLnv7R6p3Mn22wOq7D6QB4ssgYgMVrT4/ap4s=:OkIrZrPaQY+G4u1csDaOjQ8JaCdy0bgQVvtvVifMFPc="

// closeAndWait ends a session. A server lets go of it a little later, which counts where connections are limited.
func closeAndWait(conn *pgx.Conn) error {
	err := conn.Close(context.Background())
	<-conn.PgConn().CleanupDone()
	return err
}

func sqlState(err error) string {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return fmt.Sprintf("no code: %v", err)
}
