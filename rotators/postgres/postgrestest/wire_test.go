package postgrestest

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestParametersInEveryModeOfPgx(t *testing.T) {
	modes := []pgx.QueryExecMode{
		pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec,
		pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol,
	}
	each(t, Config{}, func(t *testing.T, s *Server) {
		conn := admin(t, s)
		defer closeAndWait(conn)
		for _, mode := range modes {
			for range 2 {
				var text, name string
				var null *string
				var number int64
				err := conn.QueryRow(t.Context(), "SELECT $1::text, $2::text, $3::int8", mode, `o'l\d é`, nil, int64(-5)).Scan(&text, &null, &number)
				if err != nil || text != `o'l\d é` || null != nil || number != -5 {
					t.Errorf("%v: %q, %v, %d, %v", mode, text, null, number, err)
				}
				err = conn.QueryRow(t.Context(), "SELECT rolname FROM pg_roles WHERE rolname = $1", mode, "postgres").Scan(&name)
				if err != nil || name != "postgres" {
					t.Errorf("%v: catalog: %q, %v", mode, name, err)
				}
			}
		}
		if err := conn.Ping(t.Context()); err != nil {
			t.Errorf("ping: %v", err)
		}
		if _, err := conn.Exec(t.Context(), "ALTER ROLE postgres PASSWORD $1", "x"); sqlState(err) != "42601" {
			t.Errorf("a parameter in a utility statement: %v", err)
		}
	})
}

func TestTransactionStatusIsReported(t *testing.T) {
	each(t, Config{}, func(t *testing.T, s *Server) {
		conn := admin(t, s)
		defer closeAndWait(conn)
		for _, step := range []struct {
			sql, code, tag string
			status         byte
		}{
			{"SELECT 1", "", "SELECT 1", 'I'},
			{"ALTER ROLE nobody LOGIN", "42704", "", 'I'},
			{"BEGIN", "", "BEGIN", 'T'},
			{"SAVEPOINT a", "", "SAVEPOINT", 'T'},
			{"ALTER ROLE nobody LOGIN", "42704", "", 'E'},
			{"SELECT 1", "25P02", "", 'E'},
			{"NONSENSE", "42601", "", 'E'},
			{"ROLLBACK TO a", "", "ROLLBACK", 'T'},
			{"ALTER ROLE nobody LOGIN", "42704", "", 'E'},
			{"COMMIT", "", "ROLLBACK", 'I'},
			{"COMMIT", "", "COMMIT", 'I'},
		} {
			tag, err := conn.Exec(t.Context(), step.sql)
			if sqlState(err) != step.code || tag.String() != step.tag || conn.PgConn().TxStatus() != step.status {
				t.Errorf("%s: %v, tag %q, status %c", step.sql, err, tag, conn.PgConn().TxStatus())
			}
		}
	})
}

func TestABatchIsOneTransaction(t *testing.T) {
	each(t, Config{}, func(t *testing.T, s *Server) {
		box := s.Fresh(t)
		conn := box.Admin(t)
		batch := &pgx.Batch{}
		batch.Queue("CREATE ROLE " + box.Role("app"))
		batch.Queue("CREATE ROLE " + box.Role("app"))
		if err := conn.SendBatch(t.Context(), batch).Close(); sqlState(err) != "42710" {
			t.Fatalf("got %v", err)
		}
		box.Exec(t, "CREATE ROLE "+box.Role("app")) // the batch left nothing
	})
}

func TestAConnectionThatBreaksTakesBackItsTransaction(t *testing.T) {
	each(t, Config{}, func(t *testing.T, s *Server) {
		box := s.Fresh(t)
		conn := admin(t, s)
		if _, err := conn.Exec(t.Context(), "BEGIN; CREATE ROLE "+box.Role("app")); err != nil {
			t.Fatal(err)
		}
		conn.PgConn().Conn().Close()
		box.Exec(t, "CREATE ROLE "+box.Role("app"))
	})
}

func TestChangesAreUnseenUntilTheyAreCommitted(t *testing.T) {
	each(t, Config{}, func(t *testing.T, s *Server) {
		box := s.Fresh(t)
		app := box.Role("app")
		box.Exec(t, "CREATE ROLE "+app+" LOGIN PASSWORD 'old'")
		conn := box.Admin(t)
		if _, err := conn.Exec(t.Context(), "BEGIN; ALTER ROLE "+app+" PASSWORD 'new'"); err != nil {
			t.Fatal(err)
		}
		box.Connect(t, app, "old")
		if _, err := conn.Exec(t.Context(), "COMMIT"); err != nil {
			t.Fatal(err)
		}
		box.Connect(t, app, "new")
	})
}

func TestWireServerRefusesLoginsOnDemand(t *testing.T) {
	s := startForTest(t, Config{}, StartWire)
	if err := s.RefuseLogins("57P03", "the database system is starting up"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Admin(t.Context(), ""); sqlState(err) != "57P03" {
		t.Errorf("got %v", err)
	}
	if err := s.RefuseLogins("", ""); err != nil {
		t.Fatal(err)
	}
	closeAndWait(admin(t, s))
	if err := (&Server{}).RefuseLogins("57P03", ""); err == nil {
		t.Error("a real server was told to refuse logins")
	}
}

func TestWireServerSaysWhatItDoesNotKnow(t *testing.T) {
	s := startForTest(t, Config{}, StartWire)
	conn := admin(t, s)
	defer closeAndWait(conn)
	for _, statement := range []string{
		"CREATE TABLE t (n int)", "SELECT * FROM t", "SELECT unheard_of(1)", "GRANT SELECT ON t TO postgres",
		"ALTER ROLE postgres RENAME TO p", "/* rotor: unheard of */ SELECT 1 FROM t",
	} {
		if _, err := conn.Exec(t.Context(), statement); sqlState(err) != "0A000" {
			t.Errorf("%s: %v", statement, err)
		}
	}
}

func TestRestrictedPasswordCommandsOfRDS(t *testing.T) {
	s := startForTest(t, Config{Settings: map[string]string{"rds.restrict_password_commands": "on"}}, StartWire)
	box := s.Fresh(t)
	app := box.Role("app")
	box.Exec(t, "CREATE ROLE rds_password", "CREATE ROLE "+app+" LOGIN PASSWORD 'old'")
	conn := box.Connect(t, app, "old")
	if _, err := conn.Exec(t.Context(), "ALTER ROLE CURRENT_USER PASSWORD 'new'"); sqlState(err) != "42501" {
		t.Errorf("got %v", err)
	}
	box.Exec(t, "GRANT rds_password TO "+app)
	if _, err := conn.Exec(t.Context(), "ALTER ROLE CURRENT_USER PASSWORD 'new'"); err != nil {
		t.Errorf("with rds_password: %v", err)
	}
}

func TestMembersOfRDSsIAMRoleCannotUsePasswords(t *testing.T) {
	s := startForTest(t, Config{}, StartWire)
	box := s.Fresh(t)
	app := box.Role("app")
	box.Exec(t, "CREATE ROLE rds_iam", "CREATE ROLE "+app+" LOGIN PASSWORD 'old' IN ROLE rds_iam")
	if _, err := s.Connect(t.Context(), app, "old", box.Database); sqlState(err) != "28000" {
		t.Errorf("got %v", err)
	}
}

func TestWireParametersReplaceTheUsualOnes(t *testing.T) {
	s := startForTest(t, Config{Wire: WireConfig{Parameters: map[string]string{"server_version": "8.0.2"}}}, StartWire)
	conn := admin(t, s)
	defer closeAndWait(conn)
	if version := conn.PgConn().ParameterStatus("server_version"); version != "8.0.2" {
		t.Errorf("got %q", version)
	}
}

func TestCloseEndsWireSessions(t *testing.T) {
	s := startForTest(t, Config{}, StartWire)
	conn := admin(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := conn.Ping(t.Context()); err == nil {
		t.Error("the session goes on")
	}
	if _, err := s.Admin(t.Context(), ""); err == nil || errors.Is(err, pgx.ErrNoRows) {
		t.Error("the server goes on")
	}
}
