package main_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"testing"

	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/internal/harnesstest"
	"github.com/seed492efc12/rotor/local/functiontest"
	"github.com/seed492efc12/rotor/rotators/redis"
	"github.com/seed492efc12/rotor/rotators/redis/redistest"
)

const function = "github.com/seed492efc12/rotor/functions/redis"

func TestMain(m *testing.M) { redistest.Main(m) }

// each runs a test on the harness of each server that a secret can name by host and port.
func each(t *testing.T, test func(t *testing.T, h functiontest.Harness)) {
	redistest.Each(t, func(t *testing.T, s *redistest.Server) {
		if s.Shape() != redistest.Watched {
			test(t, harness(t, s))
		}
	})
}

// newest runs a test on the newest server of each product, alone: a proxy stands before it.
func newest(t *testing.T, test func(t *testing.T, h functiontest.Harness)) {
	redistest.Products(t, func(t *testing.T, product string) {
		test(t, harness(t, redistest.Start(t, product, redistest.Config{})))
	})
}

func TestThreeRotationsInARow(t *testing.T) { each(t, functiontest.RunRotations) }

func TestATrialRunsThePreflight(t *testing.T) { each(t, functiontest.RunTrials) }

func TestTheProcessKeepsItsPromisesWhateverHappensToIt(t *testing.T) { newest(t, functiontest.Run) }

func TestAnOperatorLeadsOutWhereverTheFunctionWasKilled(t *testing.T) {
	functiontest.RunRecoveries(t, harness(t, redistest.Start(t, redistest.Redis, redistest.Config{})), functiontest.Bootstrap(t, harnesstest.Rotor))
}

func TestWhatTheMessagesSayHelps(t *testing.T) { newest(t, functiontest.RunRemedies) }

func TestARotationThatIsCutOffLeavesNothingOpen(t *testing.T) {
	newest(t, func(t *testing.T, h functiontest.Harness) { functiontest.RunInProcess(t, h, redis.Driver) })
}

func harness(t *testing.T, s *redistest.Server) functiontest.Harness {
	t.Helper()
	tag := "r" + rand.Text()[:10]
	users := 0
	doc := func(t *testing.T, user, password string) secret.Document {
		fields := maps.Clone(s.Place())
		fields["username"], fields["password"] = user, password
		return harnesstest.Secret(t, fields)
	}
	user := func(t *testing.T, rules ...string) (name, password string) {
		t.Helper()
		users++
		name, password = fmt.Sprint(tag, "app", users), rand.Text()
		setUser(t, s, name, password, rules...)
		return name, password
	}
	dba, dbaPassword := user(t, redistest.Administers...)
	h := harnesstest.New(s.Engine(), &s.Server)
	h.Unmarked, h.UsersAdminister = true, true
	h.Overlaps = []string{"single-user", "single-user-by-administrator"}
	h.Bootstrap = functiontest.Bootstrap(t, function)
	h.Refused = redistest.Refused
	h.New = func(t *testing.T) functiontest.Fixture {
		app, password := user(t, append([]string{"~" + tag + ":*", "+set", "+get"}, redistest.Administers...)...)
		return functiontest.Fixture{User: doc(t, app, password), Administrator: doc(t, dba, dbaPassword), Login: func(ctx context.Context, user, password string) (string, error) {
			return rightsOf(ctx, s, tag, user, password)
		}}
	}
	return h
}

// setUser makes a user at every node, and drops it and its clone when the test ends.
func setUser(t *testing.T, s *redistest.Server, name, password string, rules ...string) {
	t.Helper()
	arguments := []any{"SETUSER", name, "on", ">" + password}
	for _, r := range rules {
		arguments = append(arguments, r)
	}
	if err := s.Everywhere(context.Background(), "ACL", arguments...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Everywhere(context.Background(), "ACL", "DELUSER", name, name+"_clone"); err != nil {
			t.Error(err)
		}
	})
}

// rightsOf tries what the user may do, and what it may not, at every node.
func rightsOf(ctx context.Context, s *redistest.Server, tag, user, password string) (rights string, err error) {
	for _, port := range s.Ports() {
		c, err := s.Connect(ctx, port, user, password)
		if err != nil {
			return "", err
		}
		may := func(command string) error {
			_, err := c.Do(command, tag+":orders")
			if err != nil && !errors.Is(err, context.Canceled) && len(s.Ports()) > 1 {
				return nil // another node has the key, or it is a replica: the rights are told by one that is alone
			}
			return err
		}
		rights = functiontest.Rights(may, "GET", "DEL", "LLEN")
		if err := c.Close(); err != nil {
			return "", err
		}
	}
	return rights, nil
}
