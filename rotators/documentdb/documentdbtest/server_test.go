package documentdbtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/local/localtls"
)

func TestMain(m *testing.M) { Main(m) }

// code is the server's error code, or 0 for none.
func code(t *testing.T, err error) int32 {
	t.Helper()
	ce, ok := errors.AsType[mongo.CommandError](err)
	if err != nil && !ok {
		t.Fatal(err)
	}
	return ce.Code
}

func createUser(name, password string, more ...bson.E) bson.D {
	return append(bson.D{{Key: "createUser", Value: name}, {Key: "pwd", Value: password}, {Key: "roles", Value: bson.A{}}}, more...)
}

func TestOnlyTheRightPasswordLogsIn(t *testing.T) {
	Each(t, func(t *testing.T, s *Server) {
		if !s.Ours {
			t.Skip("not covered: it makes names without a prefix")
		}
		for _, mechanisms := range []bson.A{{"SCRAM-SHA-1"}, {"SCRAM-SHA-1", "SCRAM-SHA-256"}} {
			if _, err := s.Run(t.Context(), "admin", createUser("a,b=c", "right pässword", bson.E{Key: "mechanisms", Value: mechanisms})); err != nil {
				t.Fatal(err)
			}
			client, err := s.Connect(t.Context(), "a,b=c", "right pässword", "admin")
			if err != nil {
				t.Fatal(err)
			}
			_ = disconnect(client)
			for _, login := range [][3]string{{"a,b=c", "wrong", "admin"}, {"a,b=c", "right pässword", "other"}, {"nobody", "right pässword", "admin"}} {
				if _, err := s.Connect(t.Context(), login[0], login[1], login[2]); code(t, err) != 18 {
					t.Errorf("%v: got %v", login, err)
				}
			}
			if _, err := s.Run(t.Context(), "admin", bson.D{{Key: "dropUser", Value: "a,b=c"}}); err != nil {
				t.Fatal(err)
			}
		}
		if accepted, refused := s.Logins(); accepted != 0 || refused != 0 {
			t.Errorf("%d logins and %d refused are counted, which were the tests' own", accepted, refused)
		}
	})
}

func TestAServerThatRunsAlready(t *testing.T) {
	s := Start(t, Config{})
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, s.CA, 0o600); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`{"engine":"mongo","host":%q,"port":%d,"username":%q,"password":%q,"caFile":%q}`, s.Host, s.Port, s.AdminUser, s.AdminPassword, file)
	existing, err := Existing(text)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := existing.Run(t.Context(), "admin", bson.D{{Key: "ping", Value: 1}}); err != nil || !existing.Real || existing.Ours {
		t.Errorf("%s: %v", existing.Name(), err)
	}
	t.Setenv("ROTOR_TEST_DOCUMENTDB", text)
	tryExample(t)
	var out struct{ Users []any }
	if err := existing.admin.Database("admin").RunCommand(t.Context(), bson.D{{Key: "usersInfo", Value: 1}}).Decode(&out); err != nil || len(out.Users) != 1 {
		t.Errorf("%d users are left, %v", len(out.Users), err)
	}
	if err := existing.Close(); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{`x`, `{"port":"x"}`, `{"caFile":"/no/such/file"}`} {
		if _, err := Existing(bad); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}

// tryExample uses all that an example has.
func tryExample(t *testing.T) {
	t.Helper()
	e, err := Example(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	secret, err := e.User(t.Context(), "app")
	if err != nil {
		t.Error(err)
	}
	err = errors.Join(e.Login(t.Context(), secret), e.Login(t.Context(), e.Administrator), e.Create(t.Context(), secret), e.Use(t.Context(), secret))
	if err != nil {
		t.Error(err)
	}
	secret["password"] = "wrong"
	if err := e.Login(t.Context(), secret); !errors.Is(err, servertest.ErrRefused) {
		t.Errorf("got %v", err)
	}
	if err := e.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAServerIsAsConfigured(t *testing.T) {
	for name, c := range map[string]struct {
		options servertest.Options
		want    string // a part of the error
	}{
		"plain text":          {servertest.NoTLS(), ""},
		"either":              {servertest.Options{TLS: servertest.TLSOptional}, ""},
		"another host's":      {servertest.Faulty(localtls.WrongName), "IP SANs"},
		"another authority's": {servertest.Faulty(localtls.OtherCA), "unknown authority"},
	} {
		t.Run(name, func(t *testing.T) { wantPing(t, Start(t, Config{Options: c.options}), c.want) })
	}
	// MongoDB does not start with a certificate that has expired.
	wantPing(t, StartDocumentDB(t, Config{Options: servertest.Faulty(localtls.Expired)}), "expired")
}

// wantPing connects, which ends in an error that says want, or in none.
func wantPing(t *testing.T, s *Server, want string) {
	t.Helper()
	client, err := s.Stranger(s.Port)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = disconnect(client) }()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	err = client.Database("admin").RunCommand(ctx, bson.D{{Key: "ping", Value: 1}}).Err()
	if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
		t.Errorf("got %v", err)
	}
}

func TestThePrimaryMoves(t *testing.T) {
	for _, s := range []*Server{Start(t, Config{ReplicaSet: true}), StartDocumentDB(t, Config{ReplicaSet: true})} {
		client, err := s.Stranger(s.Port) // a connection to the member, which stays
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = disconnect(client) }()
		is := func() (m member) {
			if err := client.Database("admin").RunCommand(t.Context(), bson.D{{Key: "hello", Value: 1}}).Decode(&m); err != nil {
				t.Error(err)
			}
			return m
		}
		if m := is(); !m.Primary || m.Secondary {
			t.Errorf("%s: at first %v", s.Name(), m)
		}
		for range 4 {
			s.StepDown(t)
			insert := bson.D{{Key: "insert", Value: "c"}, {Key: "documents", Value: bson.A{bson.D{}}}}
			if _, err := s.Run(t.Context(), "d", insert); err != nil {
				t.Errorf("%s: %v", s.Name(), err)
			}
		}
		s.StepDown(t)
	}
}
