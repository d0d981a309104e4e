package documentdbtest

import (
	"bytes"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// What is not documented of DocumentDB is refused, so that nobody relies on it. That all else is as on a real MongoDB
// is for the agreement test of rotators/documentdb.
func TestTheImitationIsStrict(t *testing.T) {
	s := StartDocumentDB(t, Config{ReplicaSet: true})
	for _, c := range []struct {
		command bson.D
		code    int32
	}{
		{createUser("custom", "password", bson.E{Key: "customData", Value: bson.D{}}), 2},
		{createUser("restricted", "password", bson.E{Key: "authenticationRestrictions", Value: bson.A{}}), 2},
		{createUser("concerned", "password", bson.E{Key: "writeConcern", Value: bson.D{{Key: "w", Value: "majority"}}}), 2},
		{bson.D{{Key: "connectionStatus", Value: 1}, {Key: "showPrivileges", Value: true}}, 2},
		{bson.D{{Key: "usersInfo", Value: "x"}, {Key: "showAuthenticationRestrictions", Value: true}}, 2},
		{bson.D{{Key: "usersInfo", Value: bson.D{{Key: "forAllDBs", Value: true}}}, {Key: "filter", Value: bson.D{}}}, 2},
		{bson.D{{Key: "insert", Value: "c"}, {Key: "documents", Value: bson.A{bson.D{}}}, {Key: "txnNumber", Value: int64(1)}}, 301}, // "Retryable writes"
		{bson.D{{Key: "createRole", Value: "itself"}, {Key: "roles", Value: bson.A{}}, {Key: "privileges", Value: bson.A{bson.D{
			{Key: "resource", Value: bson.D{{Key: "db", Value: "admin"}, {Key: "collection", Value: ""}}}, {Key: "actions", Value: bson.A{"changeOwnPassword"}}}}}}, 2},
		{bson.D{{Key: "createRole", Value: "restricted"}, {Key: "roles", Value: bson.A{}}, {Key: "privileges", Value: bson.A{}}, {Key: "authenticationRestrictions", Value: bson.A{}}}, 2},
		{bson.D{{Key: "updateUser", Value: "root user"}, {Key: "customData", Value: bson.D{}}}, 2},
		{bson.D{{Key: "grantRolesToUser", Value: "root user"}, {Key: "roles", Value: bson.A{bson.D{{Key: "role", Value: "userAdmin"}, {Key: "db", Value: "admin"}}}}}, 31},
		{createUser("short", "short"), 2},
		{createUser("slash", "slash/slash"), 2},
		{createUser("quote", `quote"quote`), 2},
		{createUser("at", "at@at@at"), 2},
		{createUser("admin's", "password", bson.E{Key: "mechanisms", Value: bson.A{"SCRAM-SHA-1"}}), 0},
	} {
		if _, err := s.Run(t.Context(), "admin", c.command); code(t, err) != c.code {
			t.Errorf("%v: got %v, want %d", c.command, err, c.code)
		}
	}
}

func TestASecondaryTakesNoWrites(t *testing.T) {
	s := StartDocumentDB(t, Config{ReplicaSet: true})
	client, err := s.Connect(t.Context(), s.AdminUser, s.AdminPassword, "admin")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = disconnect(client) }()
	s.StepDown(t)
	if err := client.Database("admin").RunCommand(t.Context(), createUser("app", "password")).Err(); code(t, err) != notPrimary {
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
