package database_test

import (
	"context"
	"slices"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
)

// The yardstick of the drivers' plans: it lets a driver through that sends what it planned, and none that sends more.
func TestARotationIsHeldToItsPlan(t *testing.T) {
	for name, s := range map[string]database.Strategy{"single user": database.SingleUser, "alternating": database.AlternatingUsers} {
		t.Run(name, func(t *testing.T) {
			var m databasetest.Memory
			calls := 0
			f := m.Fixture("app")
			r := databasetest.NewRotations(t, databasetest.Intercept(m.Driver(), func(_ context.Context, call string, effect func() error) error {
				if err := effect(); err != nil || call != "SetPassword" {
					return err
				}
				if calls++; calls == 6 { // each rotation rehearses first
					return effect()
				}
				return nil
			}), s, f)
			for range 2 {
				if err := r.Planned(t); err != nil {
					t.Error(err)
				}
			}
			if err := r.Planned(t); err == nil {
				t.Error("what was not planned went unnoticed")
			}
			m.Lock("app")
			if err := r.Planned(t); err == nil {
				t.Error("there was a plan for a user who is locked out")
			}
		})
	}
}

// There is no plan where the rotation would find that a user lacks what nothing gives it.
func TestAPlanIsRefusedAsTheRotationWouldBe(t *testing.T) {
	var m databasetest.Memory
	r := databasetest.NewRotations(t, m.Driver(), database.AlternatingUsers, m.Fixture("app"))
	r.Must(t)
	m.Grant("app_clone", "to the clone alone")
	plan, asked := r.Plan(t)
	if err := r.Rotate(t); err == nil || asked == nil {
		t.Errorf("the plan is %+v, %v; the rotation: %v", plan, asked, err)
	}
	r.Store.End("user")
	r.Config.GrantDrift = true
	if plan, err := r.Plan(t); err != nil || !slices.Equal(plan.Gains, []string{"to the clone alone"}) {
		t.Errorf("with drift, the plan is %+v, %v", plan, err)
	}
	r.Must(t)
}
