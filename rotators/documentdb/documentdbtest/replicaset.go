package documentdbtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/seed492efc12/rotor/internal/servertest"
)

const replicaSet = "rs0"

// initiate makes a replica set of the members, and waits until it has a primary and the others follow it. Clients then
// find its primary from any member.
func (s *Server) initiate(ctx context.Context) error {
	members := bson.A{}
	for id, m := range s.members {
		members = append(members, bson.D{{Key: "_id", Value: id}, {Key: "host", Value: s.address(m.Port)}})
	}
	client, err := s.Stranger(s.members[0].Port)
	if err != nil {
		return err
	}
	defer func() { _ = disconnect(client) }()
	err = client.Database("admin").RunCommand(ctx, bson.D{{Key: "replSetInitiate", Value: bson.D{
		{Key: "_id", Value: replicaSet}, {Key: "members", Value: members},
		{Key: "settings", Value: bson.D{{Key: "electionTimeoutMillis", Value: 1000}, {Key: "heartbeatIntervalMillis", Value: 200}}},
	}}}).Err()
	if err != nil {
		return fmt.Errorf("making the replica set: %w", err)
	}
	s.ReplicaSet = replicaSet
	s.Port, err = s.awaitPrimary(ctx, 0)
	if err != nil {
		return err
	}
	for _, port := range s.secondaries() {
		if err := s.await(ctx, port, func(m member) bool { return m.Secondary }); err != nil {
			return fmt.Errorf("waiting for a secondary: %w", err)
		}
	}
	return nil
}

// calm makes elections rare: a machine that is busy for a second must not move the primary. The first one is to be
// quick. Set by the administrator, who comes after the first primary.
func (s *Server) calm(ctx context.Context) error {
	var out struct{ Config bson.D }
	err := s.runInto(ctx, "admin", bson.D{{Key: "replSetGetConfig", Value: 1}}, &out)
	if err != nil {
		return err
	}
	for i, e := range out.Config {
		switch e.Key {
		case "version":
			out.Config[i].Value = e.Value.(int32) + 1
		case "settings":
			out.Config[i].Value = bson.D{{Key: "electionTimeoutMillis", Value: 20_000}, {Key: "heartbeatIntervalMillis", Value: 200}}
		}
	}
	return s.runInto(ctx, "admin", bson.D{{Key: "replSetReconfig", Value: out.Config}}, &struct{}{})
}

func (s *Server) address(port int) string { return net.JoinHostPort(s.Host, strconv.Itoa(port)) }

// A member is what one says of itself.
type member struct {
	Primary   bool `bson:"isWritablePrimary"`
	Secondary bool `bson:"secondary"`
}

// ask asks a member what it is.
func (s *Server) ask(ctx context.Context, port int) (m member, err error) {
	client, err := s.Stranger(port)
	if err != nil {
		return m, err
	}
	defer func() { _ = disconnect(client) }()
	err = client.Database("admin").RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&m)
	return m, err
}

// again is how often a server is asked whether something has come to pass.
const again = 10 * time.Millisecond

func (s *Server) await(ctx context.Context, port int, is func(member) bool) error {
	for {
		m, err := s.ask(ctx, port)
		if err != nil || is(m) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(again):
		}
	}
}

// awaitPrimary waits for a primary at another port than one.
func (s *Server) awaitPrimary(ctx context.Context, but int) (port int, err error) {
	for {
		for _, m := range s.members {
			if is, err := s.ask(ctx, m.Port); err == nil && is.Primary && m.Port != but {
				return m.Port, nil
			}
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("waiting for a primary: %w", ctx.Err())
		case <-time.After(again):
		}
	}
}

// secondaries are the ports of the members that are not the primary.
func (s *Server) secondaries() (ports []int) {
	for _, m := range s.members {
		if m.Port != s.Port {
			ports = append(ports, m.Port)
		}
	}
	return ports
}

// Secondary is the port of a member that is not the primary.
func (s *Server) Secondary() int { return s.secondaries()[0] }

// StopSecondary ends a member that is not the primary, for good.
func (s *Server) StopSecondary(t testing.TB) {
	t.Helper()
	port := s.Secondary()
	i := slices.IndexFunc(s.members, func(m *servertest.Process) bool { return m.Port == port })
	if err := s.members[i].Stop(); err != nil {
		t.Fatal(err)
	}
	s.members = slices.Delete(slices.Clone(s.members), i, i+1)
}

// StepDown makes another member the primary, and returns when it is. MongoDB keeps the connections to the old one open.
// The server's Port is then the new primary's; that of the imitation stays, because its endpoint moves.
func (s *Server) StepDown(t testing.TB) {
	t.Helper()
	if s.wire != nil {
		s.wire.stepDown()
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.stepDown(ctx); err != nil {
		t.Fatal(err)
	}
}

func (s *Server) stepDown(ctx context.Context) error {
	old, err := s.awaitPrimary(ctx, 0)
	if err != nil {
		return err
	}
	for {
		// It is the primary again after two seconds at the earliest.
		_, err := s.Run(ctx, "admin", bson.D{{Key: "replSetStepDown", Value: 2}, {Key: "secondaryCatchUpPeriodSecs", Value: 1}})
		ce, ok := errors.AsType[mongo.CommandError](err)
		if !ok || ce.Code != exceededTimeLimit {
			if err != nil && !isLost(err) {
				return fmt.Errorf("stepping down: %w", err)
			}
			break // else no other one was ready
		}
	}
	s.Port, err = s.awaitPrimary(ctx, old)
	return err
}

// exceededTimeLimit is the code of a primary that found nobody to take its place.
const exceededTimeLimit = 262

// LosePrimary leaves a replica set of MongoDB without a primary until back is called, which returns when there is one
// again: the others may not become it (replSetFreeze), and the one that was steps down.
func (s *Server) LosePrimary(t testing.TB) (back func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	const long = 600 // seconds
	others := s.secondaries()
	for _, port := range others {
		s.at(t, ctx, port, bson.D{{Key: "replSetFreeze", Value: long}})
	}
	_, err := s.Run(ctx, "admin", bson.D{{Key: "replSetStepDown", Value: long}, {Key: "secondaryCatchUpPeriodSecs", Value: 1}, {Key: "force", Value: true}})
	if err != nil && !isLost(err) {
		t.Fatalf("stepping down: %v", err)
	}
	return func() {
		t.Helper()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		for _, port := range append(others, s.Port) {
			s.at(t, ctx, port, bson.D{{Key: "replSetFreeze", Value: 0}})
		}
		if s.Port, err = s.awaitPrimary(ctx, 0); err != nil {
			t.Fatal(err)
		}
	}
}

// at runs a command of the administrator's at one member, who may have to be told of that user first.
func (s *Server) at(t testing.TB, ctx context.Context, port int, command bson.D) {
	t.Helper()
	client, err := s.login(ctx, s.clientOptions(port).SetDirect(true), s.AdminUser, s.AdminPassword, s.AuthSource)
	for err != nil {
		select {
		case <-ctx.Done():
			t.Fatal(err)
		case <-time.After(100 * time.Millisecond):
		}
		client, err = s.login(ctx, s.clientOptions(port).SetDirect(true), s.AdminUser, s.AdminPassword, s.AuthSource)
	}
	defer func() { _ = disconnect(client) }()
	if err := client.Database("admin").RunCommand(ctx, command).Err(); err != nil {
		t.Fatalf("%s at port %d: %v", command[0].Key, port, err)
	}
}
