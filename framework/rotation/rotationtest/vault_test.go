package rotationtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
)

// A vault is a target in memory: users with the keys by which they log in. With
// overlap a user has two at most, else one.
type vault struct {
	faults  *Faults
	overlap bool

	mu      sync.Mutex
	keys    map[string][]string
	made    map[string]string // by the token of who asked
	refused int
}

// call does something as a user, and is one call of a rotator's.
func (v *vault) call(kind string, doc secret.Document, do func(keys []string) []string) error {
	return v.faults.Do(kind, func() error { return v.as(doc, do) })
}

func (v *vault) as(doc secret.Document, do func(keys []string) []string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	user := doc.Text("user")
	if !slices.Contains(v.keys[user], doc.Text("key")) {
		v.refused++
		return rotation.Fail(rotation.LoginRefused, "%q is refused", user)
	}
	v.keys[user] = do(slices.Clone(v.keys[user]))
	return nil
}

func (v *vault) check(doc secret.Document) error {
	return v.call("check", doc, func(keys []string) []string { return keys })
}

func (v *vault) list(doc secret.Document) (keys []string, err error) {
	err = v.call("list", doc, func(all []string) []string { keys = all; return all })
	return keys, err
}

func (v *vault) revoke(doc secret.Document, key string) error {
	return v.call("revoke", doc, func(keys []string) []string {
		return slices.DeleteFunc(keys, func(k string) bool { return k == key })
	})
}

// add adds a key, once; without overlap it replaces the one there is.
func (v *vault) add(doc secret.Document, key string) error {
	return v.call("add", doc, func(keys []string) []string {
		if slices.Contains(keys, key) {
			return keys
		}
		if !v.overlap {
			return []string{key}
		}
		return append(keys, key)
	})
}

// make makes a key, the same one for the same token.
func (v *vault) make(doc secret.Document, token string) (key string, err error) {
	err = v.call("make", doc, func(keys []string) []string {
		if v.made[token] == "" {
			v.made[token] = rand.Text()
			keys = append(keys, v.made[token])
		}
		key = v.made[token]
		return keys
	})
	return key, err
}

func (v *vault) works(_ context.Context, doc secret.Document) (bool, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Contains(v.keys[doc.Text("user")], doc.Text("key")), nil
}

func (v *vault) state() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return fmt.Sprint(v.keys) // a map prints in the order of its keys
}

func (v *vault) refusals() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.refused
}

// A keeper rotates a vault's keys. Tests replace its methods by broken ones.
type keeper struct {
	*vault
	next           func(v rotation.Versions) (secret.Document, error)
	set, test, try func(v rotation.Versions) error
	plan           func(v rotation.Versions) error
	asked          func(value secret.Document) error
}

func (k *keeper) Next(_ context.Context, v rotation.Versions) (secret.Document, error) {
	return k.next(v)
}
func (k *keeper) Set(_ context.Context, v rotation.Versions) error       { return k.set(v) }
func (k *keeper) Test(_ context.Context, v rotation.Versions) error      { return k.test(v) }
func (k *keeper) Preflight(_ context.Context, v rotation.Versions) error { return k.try(v) }
func (k *keeper) Plan(_ context.Context, v rotation.Versions) error      { return k.plan(v) }
func (k *keeper) Try(_ context.Context, _ string, value secret.Document, _ *rotation.Report) (string, error) {
	return "the vault", k.asked(value)
}

func newKeeper(v *vault) *keeper {
	k := &keeper{vault: v}
	k.next = func(v rotation.Versions) (secret.Document, error) { return v.Current.With("key", rand.Text()), nil }
	k.set = k.replace
	if v.overlap {
		k.set = k.overlapping
	}
	k.test = func(v rotation.Versions) error { return k.check(v.Pending) }
	k.try = func(v rotation.Versions) error { return k.check(v.Current) }
	k.plan = func(v rotation.Versions) error { v.Report.Sends("a new key"); return nil }
	k.asked = k.check
	return k
}

var errElsewhere = errors.New("the pending version is for another vault")

func samePlace(v rotation.Versions) error {
	if v.Current.Text("vault") != v.Pending.Text("vault") {
		return errElsewhere
	}
	return nil
}

// overlapping is Set where two keys may live.
func (k *keeper) overlapping(v rotation.Versions) error {
	if err := samePlace(v); err != nil {
		return err
	}
	live, err := k.list(v.Current)
	if err != nil || slices.Contains(live, v.Pending.Text("key")) {
		return err
	}
	for _, key := range live {
		if key == v.Current.Text("key") {
			continue
		}
		if err := k.revoke(v.Current, key); err != nil {
			return err
		}
	}
	return k.add(v.Current, v.Pending.Text("key"))
}

// tidying is Set where Next has made the key live.
func (k *keeper) tidying(v rotation.Versions) error {
	if err := samePlace(v); err != nil {
		return err
	}
	live, err := k.list(v.Current)
	for _, key := range live {
		if key != v.Current.Text("key") && key != v.Pending.Text("key") {
			err = errors.Join(err, k.revoke(v.Current, key))
		}
	}
	return err
}

// replace is Set where one key may live.
func (k *keeper) replace(v rotation.Versions) error {
	if err := samePlace(v); err != nil {
		return err
	}
	err := k.add(v.Current, v.Pending.Text("key"))
	var f *rotation.Fault
	if errors.As(err, &f) && f.Class == rotation.LoginRefused && k.check(v.Pending) == nil {
		return nil // an earlier run set it
	}
	return err
}

// harness has keepers of vaults, each broken by spoil.
func harness(overlap bool, spoil func(k *keeper)) Harness {
	return Harness{
		Name: "keeper", Credential: "key", Place: []string{"vault"}, Overlap: overlap,
		New: func(_ testing.TB, f *Faults) Target {
			v := &vault{faults: f, overlap: overlap, keys: map[string][]string{}, made: map[string]string{}}
			k := newKeeper(v)
			spoil(k)
			target := Target{Rotator: k, Works: v.works, State: v.state, Refused: v.refusals}
			for i, user := range []string{"ann", "bob"} {
				key := rand.Text()
				v.keys[user] = []string{key}
				target.Secrets[i] = secret.Document{}.With("vault", "main").With("user", user).With("key", key)
			}
			return target
		},
	}
}
