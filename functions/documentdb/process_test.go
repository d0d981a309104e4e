package main_test

import (
	"context"
	"errors"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/internal/harnesstest"
	"github.com/seed492efc12/rotor/local/functiontest"
	"github.com/seed492efc12/rotor/rotators/documentdb"
	"github.com/seed492efc12/rotor/rotators/documentdb/documentdbtest"
)

// each runs a test on the harness of each server.
func each(t *testing.T, test func(t *testing.T, h functiontest.Harness)) {
	documentdbtest.Each(t, func(t *testing.T, s *documentdbtest.Server) { test(t, harness(t, s)) })
}

// newest runs a test on the newest MongoDB, and on the imitation of DocumentDB. Their secrets name one server, which a
// proxy can stand before.
func newest(t *testing.T, test func(t *testing.T, h functiontest.Harness)) {
	t.Run("MongoDB", func(t *testing.T) {
		test(t, harness(t, documentdbtest.Start(t, documentdbtest.Config{})))
	})
	t.Run("DocumentDB", func(t *testing.T) {
		test(t, harness(t, documentdbtest.StartDocumentDB(t, documentdbtest.Config{})))
	})
}

func TestThreeRotationsInARow(t *testing.T) { each(t, functiontest.RunRotations) }

func TestATrialRunsThePreflight(t *testing.T) { each(t, functiontest.RunTrials) }

func TestTheProcessKeepsItsPromisesWhateverHappensToIt(t *testing.T) { newest(t, functiontest.Run) }

func TestAnOperatorLeadsOutWhereverTheFunctionWasKilled(t *testing.T) {
	functiontest.RunRecoveries(t, harness(t, documentdbtest.Start(t, documentdbtest.Config{})), functiontest.Bootstrap(t, harnesstest.Rotor))
}

func TestWhatTheMessagesSayHelps(t *testing.T) { newest(t, functiontest.RunRemedies) }

func TestARotationThatIsCutOffLeavesNothingOpen(t *testing.T) {
	newest(t, func(t *testing.T, h functiontest.Harness) { functiontest.RunInProcess(t, h, documentdb.Driver) })
}

func harness(t *testing.T, s *documentdbtest.Server) functiontest.Harness {
	t.Helper()
	f := newFixtures(t, s)
	dba := f.user(t, "dba", adminPassword, "userAdminAnyDatabase", "admin")
	doc := func(t *testing.T, user, password string) secret.Document {
		return harnesstest.Secret(t, f.document(user, password))
	}
	h := harnesstest.New("mongo", &s.Server)
	h.Unmarked = true
	h.Bootstrap = build(t)
	if !s.Real {
		h.Log = nil // the imitation's has whole commands, so that a test can tell which hold a password
	}
	h.New = func(t *testing.T) functiontest.Fixture {
		app := f.user(t, "app", firstPassword, "readWrite", f.shop())
		return functiontest.Fixture{User: doc(t, app, firstPassword), Administrator: doc(t, dba, adminPassword), Login: f.login}
	}
	h.Refused = func(err error) bool {
		e, ok := errors.AsType[mongo.CommandError](err)
		return ok && e.Code == 18
	}
	return h
}

// login tries what the user may do, and what it may not.
func (f *fixtures) login(ctx context.Context, user, password string) (rights string, err error) {
	client, err := f.server.Connect(ctx, user, password, "admin")
	if err != nil {
		return "", err
	}
	orders := func(database string) *mongo.Collection { return client.Database(database).Collection("orders") }
	do := map[string]func() error{
		"insert": func() error {
			_, err := orders(f.shop()).InsertOne(ctx, bson.D{{Key: "item", Value: "tea"}})
			return err
		},
		"find": func() error { return orders(f.shop()).FindOne(ctx, bson.D{}).Err() },
		"find elsewhere": func() error {
			if err := orders(f.shop()+"_2").FindOne(ctx, bson.D{}).Err(); !errors.Is(err, mongo.ErrNoDocuments) {
				return err
			}
			return nil
		},
	}
	rights = functiontest.Rights(func(what string) error { return do[what]() }, "insert", "find", "find elsewhere")
	return rights, client.Disconnect(ctx)
}
