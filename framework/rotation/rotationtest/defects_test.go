package rotationtest

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log"
	"os"
	"slices"

	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
)

// A defect is a rotator that breaks a promise, with the check that has to find
// it and what that says.
type defect struct {
	name    string
	overlap bool // the vault's
	spoil   func(k *keeper)
	check   string
	says    string
}

var defects = []defect{
	{"touches the target in Next", true, func(k *keeper) {
		next := k.next
		k.next = func(v rotation.Versions) (secret.Document, error) { _ = k.check(v.Current); return next(v) }
	}, "HealthyRotations", "Next must not touch it"},
	{"forgets to test", true, func(k *keeper) {
		k.test = func(rotation.Versions) error { return nil }
	}, "TestSecretProvesThePendingValue", "passed a value"},
	{"tests the wrong key", true, func(k *keeper) {
		k.test = func(v rotation.Versions) error {
			return k.faults.Do("check", func() error { return nil })
		}
	}, "TestSecretProvesThePendingValue", "passed a value"},
	{"sets in the test", true, func(k *keeper) {
		k.test = func(v rotation.Versions) error {
			k.faults.name("check")
			user := v.Pending.Text("user")
			if !slices.Contains(k.keys[user], v.Pending.Text("key")) {
				k.keys[user] = append(k.keys[user], v.Pending.Text("key"))
				return errors.New("not set before")
			}
			return nil
		}
	}, "TestSecretProvesThePendingValue", "changed the target"},
	{"sets nothing", true, func(k *keeper) {
		k.set = func(v rotation.Versions) error { return k.check(v.Current) }
	}, "HealthyRotations", "LoginRefused"},
	{"comes back to the same key", true, func(k *keeper) {
		k.next = func(v rotation.Versions) (secret.Document, error) { return v.Current, nil }
	}, "HealthyRotations", "would change nothing"},
	{"loses fields", true, func(k *keeper) {
		k.next = func(v rotation.Versions) (secret.Document, error) {
			return secret.Document{}.With("vault", v.Current.Text("vault")).With("user", v.Current.Text("user")).With("key", rand.Text()), nil
		}
	}, "HealthyRotations", "does not know was lost"},
	{"tries the pending key first", true, func(k *keeper) {
		set := k.set
		k.set = func(v rotation.Versions) error {
			if k.check(v.Pending) == nil {
				return nil
			}
			return set(v)
		}
	}, "HealthyRotations", "refused 1 credentials"},
	{"never revokes", true, func(k *keeper) {
		k.set = func(v rotation.Versions) error { return k.add(v.Current, v.Pending.Text("key")) }
	}, "HealthyRotations", "of 2 rotations ago works: true"},
	{"revokes at once", true, func(k *keeper) {
		set := k.set
		k.set = func(v rotation.Versions) error {
			return errors.Join(set(v), k.revoke(v.Pending, v.Current.Text("key")))
		}
	}, "HealthyRotations", "of 1 rotations ago works: false"},
	{"leaves the old key", false, func(k *keeper) {
		k.set = func(v rotation.Versions) error {
			k.overlap = true
			defer func() { k.overlap = false }()
			return k.replace(v)
		}
	}, "HealthyRotations", "of 1 rotations ago works: true"},
	{"cannot run twice", false, func(k *keeper) {
		k.set = func(v rotation.Versions) error { return k.add(v.Current, v.Pending.Text("key")) }
	}, "EveryStepTwice", "setSecret: the second time"},
	{"changes again", true, func(k *keeper) {
		k.set = func(v rotation.Versions) error {
			if live, err := k.list(v.Current); err != nil || slices.Contains(live, v.Pending.Text("key")) {
				_ = k.revoke(v.Current, v.Current.Text("key"))
			}
			return k.overlapping(v)
		}
	}, "EveryStepTwice", "setSecret"},
	{"cannot run beside itself", true, func(k *keeper) {
		turn := make(chan bool, 1)
		k.set = func(v rotation.Versions) error {
			select {
			case turn <- true:
			default:
				return errors.New("busy")
			}
			live, _ := k.list(v.Current)
			if !slices.Contains(live, v.Pending.Text("key")) {
				<-turn // the next rotation is not kept out
			}
			return k.overlapping(v)
		}
	}, "EveryStepAtOnce", "busy"},
	{"remembers from one call to the next", true, func(k *keeper) {
		var last string
		next := k.next
		k.next = func(v rotation.Versions) (secret.Document, error) {
			d, err := next(v)
			last = d.Text("key")
			return d, err
		}
		k.set = func(v rotation.Versions) error {
			v.Pending = v.Pending.With("key", last)
			return k.overlapping(v)
		}
	}, "EveryStepTwice", "testSecret"},
	{"changes something in a trial", true, func(k *keeper) {
		k.try = func(v rotation.Versions) error { return k.add(v.Current, rand.Text()) }
	}, "ATrialChangesNothing", "state became"},
	{"passes every trial", true, func(k *keeper) {
		k.try = func(rotation.Versions) error { return nil }
	}, "ATrialChangesNothing", "the target refuses"},
	{"plans by doing", true, func(k *keeper) {
		k.plan = func(v rotation.Versions) error { return k.add(v.Current, rand.Text()) }
	}, "AQuestionChangesNothing", "plan changed the target"},
	{"plans with the key", true, func(k *keeper) {
		k.plan = func(v rotation.Versions) error {
			v.Report.Sends("add " + base64.StdEncoding.EncodeToString([]byte("ann:"+v.Current.Text("key"))))
			return nil
		}
	}, "AQuestionChangesNothing", "in the answer to plan"},
	{"says that all work", true, func(k *keeper) {
		k.asked = func(secret.Document) error { return nil }
	}, "AQuestionChangesNothing", "AWSCURRENT works: false"},
	{"says that none works", true, func(k *keeper) {
		k.asked = func(secret.Document) error { return rotation.Fail(rotation.LoginRefused, "no") }
	}, "AQuestionChangesNothing", "AWSCURRENT works: true"},
	{"uses a back door", true, func(k *keeper) {
		k.set = func(v rotation.Versions) error {
			k.mu.Lock()
			defer k.mu.Unlock()
			user := v.Current.Text("user")
			k.keys[user] = []string{k.keys[user][0], v.Pending.Text("key")}
			return nil
		}
	}, "AWrongCredentialChangesNothing", "Rotation.LoginRefused"},
	{"trusts the pending version's place", true, func(k *keeper) {
		k.set = func(v rotation.Versions) error {
			v.Pending = v.Pending.With("vault", v.Current.Text("vault"))
			return k.overlapping(v)
		}
	}, "ACredentialGoesNowhereElse", `"vault" of AWSPENDING`},
	{"looks at the place too late", true, func(k *keeper) {
		k.set = func(v rotation.Versions) error {
			if err := k.check(v.Current); err != nil {
				return err
			}
			return k.overlapping(v)
		}
	}, "ACredentialGoesNowhereElse", "made a call"},
	{"revokes before it adds", false, func(k *keeper) {
		k.set = func(v rotation.Versions) error {
			if err := k.revoke(v.Current, v.Current.Text("key")); err != nil {
				return k.check(v.Pending) // an earlier run set it
			}
			return k.faults.Do("make", func() error { k.keys[v.Pending.Text("user")] = []string{v.Pending.Text("key")}; return nil })
		}
	}, "AFaultAnywhereLocksNobodyOut", "locked out"},
	{"is content with a server that is down", true, func(k *keeper) {
		ok := func(err error) error {
			if errors.Is(err, ErrInjected) {
				return nil
			}
			return err
		}
		set, test := k.set, k.test
		k.set = func(v rotation.Versions) error { return ok(set(v)) }
		k.test = func(v rotation.Versions) error { return ok(test(v)) }
	}, "AFaultAnywhereLocksNobodyOut", "locked out"},
	{"tries again by itself", true, func(k *keeper) {
		test := k.test
		k.test = func(v rotation.Versions) error {
			if test(v) == nil {
				return nil
			}
			return test(v)
		}
	}, "AFaultAnywhereLocksNobodyOut", "tried again by itself"},
	{"never comes back from a lost reply", true, func(k *keeper) {
		dead := false
		set := k.set
		k.set = func(v rotation.Versions) error {
			if dead {
				return errors.New("an earlier run failed")
			}
			err := set(v)
			dead = err != nil
			return err
		}
	}, "AFaultAnywhereLocksNobodyOut", "does not converge"},
	{"panics where a call fails", true, func(k *keeper) {
		test := k.test
		k.test = func(v rotation.Versions) error {
			if err := test(v); errors.Is(err, ErrInjected) {
				panic(err)
			}
			return nil
		}
	}, "AFaultAnywhereLocksNobodyOut", "Test panicked"},
	{"quotes the key in an error", true, func(k *keeper) {
		test := k.test
		k.test = func(v rotation.Versions) error {
			if err := test(v); err != nil {
				return fmt.Errorf("with key %s: %w", v.Pending.Text("key"), err)
			}
			return nil
		}
	}, "TestSecretProvesThePendingValue", "in an error of Test"},
	{"quotes the key in a remedy", true, func(k *keeper) {
		test := k.test
		k.test = func(v rotation.Versions) error {
			if err := test(v); err != nil {
				return rotation.Fail(rotation.LoginRefused, "refused").With("Try " + v.Pending.Text("key"))
			}
			return nil
		}
	}, "TestSecretProvesThePendingValue", "in an error of Test"},
	{"notes half of the key", true, func(k *keeper) {
		set := k.set
		k.set = func(v rotation.Versions) error {
			v.Report.Notef("setting %s...", v.Pending.Text("key")[:13])
			return set(v)
		}
	}, "HealthyRotations", "in the log"},
	{"notes the key in base64", true, func(k *keeper) {
		set := k.set
		k.set = func(v rotation.Versions) error {
			v.Report.Notef("Authorization: Basic %s", base64.StdEncoding.EncodeToString([]byte("ann:"+v.Pending.Text("key"))))
			return set(v)
		}
	}, "HealthyRotations", "in the log"},
	{"prints the key", true, func(k *keeper) {
		set := k.set
		k.set = func(v rotation.Versions) error { fmt.Println(v.Pending.Text("key")); return set(v) }
	}, "HealthyRotations", "was written to standard output"},
	{"prints the key as an error", true, func(k *keeper) {
		set := k.set
		k.set = func(v rotation.Versions) error { fmt.Fprintln(os.Stderr, v.Pending.Text("key")); return set(v) }
	}, "EveryStepTwice", "was written to standard output"},
	{"logs the key", true, func(k *keeper) {
		set := k.set
		k.set = func(v rotation.Versions) error { log.Print(v.Pending.Text("key")); return set(v) }
	}, "EveryStepAtOnce", "was written to standard output"},
}
