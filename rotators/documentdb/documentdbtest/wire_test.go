package documentdbtest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// start starts a server for one test.
func start(t *testing.T, c Config) *Server {
	t.Helper()
	s, err := StartWire(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// code is the server's error code, or 0 for none.
func code(t *testing.T, err error) int32 {
	t.Helper()
	var ce mongo.CommandError
	if err != nil && !errors.As(err, &ce) {
		t.Fatal(err)
	}
	return ce.Code
}

func role(name, database string) bson.D {
	return bson.D{{Key: "role", Value: name}, {Key: "db", Value: database}}
}

func createUser(name, password string, more ...bson.E) bson.D {
	return append(bson.D{{Key: "createUser", Value: name}, {Key: "pwd", Value: password}}, more...)
}

func TestOnlyTheRightPasswordLogsIn(t *testing.T) {
	for _, c := range []Config{{}, {Flavour: DocumentDB}, {ReplicaSet: true}, {Plain: true}} {
		s := start(t, c)
		for _, mechanisms := range []bson.A{{"SCRAM-SHA-1"}, {"SCRAM-SHA-1", "SCRAM-SHA-256"}} {
			if _, err := s.Run(t.Context(), "admin", createUser("a,b=c", "right pässword", bson.E{Key: "roles", Value: bson.A{}}, bson.E{Key: "mechanisms", Value: mechanisms})); err != nil {
				t.Fatal(err)
			}
			mark := s.Mark()
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
			if accepted, refused := s.Logins(mark); accepted != 1 || refused < 3 { // the driver's farewell is a login, too
				t.Errorf("%d logins and %d refused", accepted, refused)
			}
			if _, err := s.Run(t.Context(), "admin", bson.D{{Key: "dropUser", Value: "a,b=c"}}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestAServerThatRunsAlready(t *testing.T) {
	s := start(t, Config{ReplicaSet: true})
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, s.CA, 0o600); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`{"engine":"mongo","host":%q,"port":%d,"username":%q,"password":%q,"replicaSet":"rs0","caFile":%q}`,
		s.Host, s.Port, s.AdminUser, s.AdminPassword, file)
	existing, err := Existing(text)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := existing.Run(t.Context(), "admin", bson.D{{Key: "ping", Value: 1}}); err != nil || !existing.Real || existing.Wire() || existing.Plain() {
		t.Errorf("%s: %v", existing.Name(), err)
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

// What the manual demands of privileges must be demanded here, or tests prove nothing.
func TestPrivilegesAreEnforced(t *testing.T) {
	s := start(t, Config{})
	_, err := s.Run(t.Context(), "admin", createUser("app", "password", bson.E{Key: "roles", Value: bson.A{role("readWrite", "shop")}}))
	if err != nil {
		t.Fatal(err)
	}
	client, err := s.Connect(t.Context(), "app", "password", "admin")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = disconnect(client) }()
	for _, c := range []struct {
		database string
		command  bson.D
		code     int32
	}{
		{"shop", bson.D{{Key: "insert", Value: "orders"}, {Key: "documents", Value: bson.A{bson.D{}}}}, 0},
		{"shop", bson.D{{Key: "find", Value: "orders"}}, 0},
		{"other", bson.D{{Key: "find", Value: "orders"}}, 13},
		{"other", bson.D{{Key: "insert", Value: "orders"}, {Key: "documents", Value: bson.A{bson.D{}}}}, 13},
		{"admin", bson.D{{Key: "usersInfo", Value: "app"}}, 0}, // itself
		{"admin", bson.D{{Key: "usersInfo", Value: adminUser}}, 13},
		{"admin", bson.D{{Key: "usersInfo", Value: bson.D{{Key: "forAllDBs", Value: true}}}}, 13},
		{"admin", bson.D{{Key: "updateUser", Value: "app"}, {Key: "pwd", Value: "x"}}, 13},
		{"admin", bson.D{{Key: "updateUser", Value: adminUser}, {Key: "pwd", Value: "x"}}, 13},
		{"admin", bson.D{{Key: "grantRolesToUser", Value: "app"}, {Key: "roles", Value: bson.A{role("root", "admin")}}}, 13},
		{"admin", bson.D{{Key: "revokeRolesFromUser", Value: adminUser}, {Key: "roles", Value: bson.A{role("root", "admin")}}}, 13},
		{"admin", bson.D{{Key: "dropUser", Value: adminUser}}, 13},
		{"admin", createUser("x", "y", bson.E{Key: "roles", Value: bson.A{}}), 13},
		{"admin", bson.D{{Key: "noSuchCommand", Value: 1}}, 59},
	} {
		if got := code(t, client.Database(c.database).RunCommand(t.Context(), c.command).Err()); got != c.code {
			t.Errorf("%v on %s: code %d, want %d", c.command, c.database, got, c.code)
		}
	}
}

func TestWhatCommandsRefuse(t *testing.T) {
	for _, flavour := range []Flavour{MongoDB, DocumentDB} {
		s := start(t, Config{Flavour: flavour})
		none := bson.E{Key: "roles", Value: bson.A{}}
		if _, err := s.Run(t.Context(), "admin", createUser("twice", "password", none)); err != nil {
			t.Fatal(err)
		}
		strict := int32(0) // what DocumentDB alone refuses
		if flavour == DocumentDB {
			strict = 40415
		}
		for _, c := range []struct {
			command bson.D
			code    int32
		}{
			{createUser("twice", "password", none), 51003},
			{createUser("new", "password"), 40414},
			{createUser("new", "", none), 2},
			{createUser("new", "password", bson.E{Key: "roles", Value: bson.A{role("none", "admin")}}), 31},
			{createUser("new", "password", none, bson.E{Key: "nonsense", Value: 1}), 40415},
			{bson.D{{Key: "updateUser", Value: "nobody"}, {Key: "pwd", Value: "password"}}, 11},
			{bson.D{{Key: "dropUser", Value: "nobody"}}, 11},
			{createUser("custom", "password", none, bson.E{Key: "customData", Value: bson.D{}}), strict},
			{createUser("restricted", "password", none, bson.E{Key: "authenticationRestrictions", Value: bson.A{}}), strict},
			{createUser("concerned", "password", none, bson.E{Key: "writeConcern", Value: bson.D{{Key: "w", Value: "majority"}}}), strict},
			{bson.D{{Key: "connectionStatus", Value: 1}, {Key: "showPrivileges", Value: true}}, strict},
		} {
			if _, err := s.Run(t.Context(), "admin", c.command); code(t, err) != c.code {
				t.Errorf("%v: %v: got %v, want %d", flavour, c.command, err, c.code)
			}
		}
		for _, password := range []string{"short", `slash/slash`, `quote"quote`, "at@at@at"} {
			want := int32(0)
			if flavour == DocumentDB {
				want = 2
			}
			if _, err := s.Run(t.Context(), "admin", createUser("with "+password, password, none)); code(t, err) != want {
				t.Errorf("%v: %q: got %v", flavour, password, err)
			}
		}
	}
}

func TestARestrictedUserLogsInFromItsPlacesAlone(t *testing.T) {
	s := start(t, Config{})
	for source, want := range map[string]int32{"127.0.0.1": 0, "127.0.0.0/8": 0, "10.0.0.0/8": 18, "10.1.2.3": 18} {
		_, err := s.Run(t.Context(), "admin", createUser(source, "password", bson.E{Key: "roles", Value: bson.A{}},
			bson.E{Key: "authenticationRestrictions", Value: bson.A{bson.D{{Key: "clientSource", Value: bson.A{source}}}}}))
		if err != nil {
			t.Fatal(err)
		}
		client, err := s.Connect(t.Context(), source, "password", "admin")
		if code(t, err) != want {
			t.Errorf("%s: got %v", source, err)
		}
		if err == nil {
			_ = disconnect(client)
		}
	}
}

func TestOnlyThePrimaryWrites(t *testing.T) {
	for _, flavour := range []Flavour{MongoDB, DocumentDB} {
		s := start(t, Config{Flavour: flavour, ReplicaSet: true})
		client, err := s.Connect(t.Context(), s.AdminUser, s.AdminPassword, "admin")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = disconnect(client) }()
		first := s.Primary()
		s.StepDown()
		if s.Primary() == first || len(s.Secondaries()) != 2 {
			t.Errorf("primary %s, secondaries %v", s.Primary(), s.Secondaries())
		}
		insert := bson.D{{Key: "insert", Value: "c"}, {Key: "documents", Value: bson.A{bson.D{}}}}
		if err := client.Database("d").RunCommand(t.Context(), insert).Err(); code(t, err) != notPrimary {
			t.Errorf("got %v", err)
		}
		if _, err := s.Run(t.Context(), "d", insert); err != nil {
			t.Error(err)
		}
	}
}

func TestDocumentDBTakesNoRetryableWrites(t *testing.T) {
	s := start(t, Config{Flavour: DocumentDB, ReplicaSet: true})
	config, err := s.clientTLS()
	if err != nil {
		t.Fatal(err)
	}
	o := options.Client().SetHosts([]string{s.Primary()}).SetTLSConfig(config).SetReplicaSet(s.ReplicaSet).SetRetryWrites(true).
		SetAuth(options.Credential{Username: s.AdminUser, Password: s.AdminPassword, AuthSource: "admin"})
	client, err := mongo.Connect(o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = disconnect(client) }()
	if _, err := client.Database("d").Collection("c").InsertOne(t.Context(), bson.D{}); code(t, err) != 301 {
		t.Errorf("got %v", err)
	}
}

func TestMalformedMessagesEndTheConnection(t *testing.T) {
	for _, raw := range [][]byte{
		{}, make([]byte, 16), append([]byte{21, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xdd, 7, 0, 0}, 0, 0, 0, 0, 0),
		append([]byte{26, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xdd, 7, 0, 0}, 0, 0, 0, 0, 1, 255, 255, 255, 255, 0),
	} {
		if m, err := readMessage(bytes.NewReader(raw)); err == nil && len(m.command) > 0 {
			t.Errorf("%v was read as %v", raw, m.command)
		}
	}
}

func FuzzReadMessage(f *testing.F) {
	body, err := bson.Marshal(bson.D{{Key: "ping", Value: 1}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(append([]byte{byte(21 + len(body)), 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xdd, 7, 0, 0, 0, 0, 0, 0, 0}, body...))
	f.Fuzz(func(_ *testing.T, raw []byte) { _, _ = readMessage(bytes.NewReader(raw)) })
}
