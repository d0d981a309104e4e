package documentdb

import (
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/secret"
)

func TestDocumentDBIsKnownByItsEngineOrItsEndpoint(t *testing.T) {
	for _, c := range []struct {
		engine, host string
		want         bool
	}{
		{"documentdb", "alias.example.com", true},
		{"mongo", "shop.cluster-abc.us-east-1.docdb.amazonaws.com", true},
		{"mongo", "Shop.cluster-abc.us-east-1.DocDB.amazonaws.com.", true},
		{"mongo", "shop.cluster-abc.docdb.cn-north-1.amazonaws.com.cn", true},
		{"mongo", "shop.cluster-abc.cn-north-1.docdb.amazonaws.com.cn", true},
		{"mongo", "shop-123.us-east-1.docdb-elastic.amazonaws.com", true},
		{"mongo", "db.example.com", false},
		{"mongo", "docdb.amazonaws.com.example.com", false},
	} {
		l := database.Login{Host: c.host, Secret: secret.Document{}.With("engine", c.engine)}
		if got := isAmazon(l); got != c.want {
			t.Errorf("%s at %s: got %v", c.engine, c.host, got)
		}
	}
}

func TestRestrictionsAreFoundInListsOfLists(t *testing.T) {
	kind, data, err := bson.MarshalValue(bson.A{bson.A{bson.D{{Key: "clientSource", Value: bson.A{"10.0.0.0/8"}}}}, bson.D{}})
	if err != nil {
		t.Fatal(err)
	}
	values, err := bson.RawValue{Type: kind, Value: data}.Array().Values()
	if err != nil {
		t.Fatal(err)
	}
	if got := flat(values); len(got) != 2 || got[0].Type != bson.TypeEmbeddedDocument {
		t.Errorf("got %v", got)
	}
}
