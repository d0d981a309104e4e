package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/seed492efc12/rotor/rotators/documentdb/documentdbtest"
)

func TestMain(m *testing.M) { documentdbtest.Main(m) }

// A server is as it was, after tests of each kind have run there.
func TestASomebodysServerIsAsItWas(t *testing.T) {
	s := documentdbtest.Start(t, documentdbtest.Config{})
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, s.CA, 0o600); err != nil {
		t.Fatal(err)
	}
	value, err := json.Marshal(map[string]any{"engine": s.Engine, "host": s.Host, "port": s.Port, "username": s.AdminUser, "password": s.AdminPassword, "caFile": ca})
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("ROTOR_TEST_DOCUMENTDB", string(value))
	t.Setenv("ROTOR_TEST_WORLD", "1")
	l, err := prepare("documentdb", os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	l.root, l.file, l.filter = "../..", filepath.Join(t.TempDir(), "report.md"), "TestConformance$|TestEveryStrategy|TestARotationDoes|TestMissingPrivileges|TestAUserOfAnother|TestASessionIsOneLogin"
	var out strings.Builder
	before := inventory(t, s)
	if err := l.run(&out); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
	if after := inventory(t, s); after != before {
		t.Errorf("the server had\n%s\nand has\n%s", before, after)
	}
	page, err := os.ReadFile(l.file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{s.Title, "TestConformance/existing | pass", "TestASessionIsOneLogin/existing | skip", "the log of"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the report does not have %q:\n%s", want, page)
		}
	}
	if strings.Contains(string(page)+out.String(), s.AdminPassword) {
		t.Error("the password is told")
	}
}

// inventory is what a server keeps: users, roles, databases.
func inventory(t *testing.T, s *documentdbtest.Server) string {
	t.Helper()
	var all strings.Builder
	for _, command := range []bson.D{
		{{Key: "find", Value: "system.users"}, {Key: "sort", Value: bson.D{{Key: "_id", Value: 1}}}, {Key: "batchSize", Value: 10000}},
		{{Key: "find", Value: "system.roles"}, {Key: "sort", Value: bson.D{{Key: "_id", Value: 1}}}, {Key: "batchSize", Value: 10000}},
		{{Key: "listDatabases", Value: 1}, {Key: "nameOnly", Value: true}},
	} {
		out, err := s.Run(t.Context(), "admin", command)
		if err != nil {
			t.Fatal(err)
		}
		cursor, _ := out["cursor"].(bson.D)
		for _, field := range append(cursor, bson.E{Key: "databases", Value: out["databases"]}) {
			if field.Key == "firstBatch" || field.Key == "databases" {
				fmt.Fprintln(&all, field.Value)
			}
		}
	}
	return all.String()
}
