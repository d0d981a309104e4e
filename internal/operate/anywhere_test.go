package operate

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/password"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/rotation/rotationtest"
	"github.com/seed492efc12/rotor/framework/secret"
)

// A scene is one secret in memory, with its function and its database. It is the
// Secrets and the Invoker of a Target.
type scene struct {
	t       *testing.T
	store   rotationtest.Store
	faults  rotationtest.Faults
	rotator *database.Rotator
	engine  *rotation.Engine
	version int
}

func newScene(t *testing.T, s database.Strategy, overlap bool) *scene {
	t.Helper()
	m := &databasetest.Memory{Overlap: overlap}
	f := m.Fixture("app")
	sc := &scene{t: t}
	sc.store.Add("user", f.User)
	sc.store.Add("admin", f.Admin)
	driver := databasetest.Intercept(m.Driver(), func(_ context.Context, call string, effect func() error) error { return sc.faults.Do(call, effect) })
	g, err := password.New(password.Default(), password.Rules{})
	if err != nil {
		t.Fatal(err)
	}
	config := database.Config{Driver: driver, Strategy: s, Password: g.Generate, Roots: func() (*x509.CertPool, error) { return nil, nil }}
	failing, err := database.New(config)
	if err != nil {
		t.Fatal(err)
	}
	config.Driver = m.Driver()
	if sc.rotator, err = database.New(config); err != nil {
		t.Fatal(err)
	}
	sc.engine = &rotation.Engine{Store: sc.faults.Store(&sc.store), Rotator: failing, Clock: &rotationtest.Clock{}, Log: slog.New(slog.DiscardHandler)}
	return sc
}

func (sc *scene) target() Target {
	return Target{Secrets: sc, Asker: Function{sc, rotationtest.Function}, ARN: "user"}
}

// rotate runs a rotation, or what is left of the one under way.
func (sc *scene) rotate() error {
	version := sc.labelled(rotation.Pending)
	if version == "" {
		sc.version++
		version = fmt.Sprint("v", sc.version)
	}
	return rotationtest.Rotate(sc.t.Context(), sc.engine, &sc.store, "user", version)
}

func (sc *scene) labelled(label string) string {
	st, err := sc.store.Status(sc.t.Context(), "user")
	if err != nil {
		sc.t.Fatal(err)
	}
	for version, labels := range st.Stages {
		if slices.Contains(labels, label) {
			return version
		}
	}
	return ""
}

// works reports whether an application gets in with AWSCURRENT.
func (sc *scene) works() bool {
	conn, err := sc.rotator.Connect(sc.t.Context(), sc.store.Value("user", rotation.Current))
	if err == nil {
		_ = conn.Close()
	}
	return err == nil
}

func (sc *scene) Invoke(ctx context.Context, in *lambda.InvokeInput, _ ...func(*lambda.Options)) (*lambda.InvokeOutput, error) {
	q, ok := rotation.ParseQuestion(in.Payload)
	if !ok {
		return nil, errors.New("no question")
	}
	q.Function = *in.FunctionName
	out, err := json.Marshal(sc.engine.Ask(ctx, q))
	return &lambda.InvokeOutput{Payload: out}, err
}

func (sc *scene) GetSecretValue(ctx context.Context, in *secretsmanager.GetSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	st, err := sc.store.Status(ctx, *in.SecretId)
	if err != nil {
		return nil, err
	}
	d, err := sc.store.Get(ctx, *in.SecretId, st.Stages[*in.VersionId][0], *in.VersionId)
	return &secretsmanager.GetSecretValueOutput{SecretString: aws.String(string(d.Bytes()))}, err
}

func (sc *scene) PutSecretValue(_ context.Context, in *secretsmanager.PutSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.PutSecretValueOutput, error) {
	d, err := secret.Parse([]byte(*in.SecretString))
	sc.store.Write("user", *in.ClientRequestToken, d)
	for _, label := range in.VersionStages {
		sc.store.Stage("user", label, *in.ClientRequestToken)
	}
	return &secretsmanager.PutSecretValueOutput{}, err
}

func (sc *scene) UpdateSecretVersionStage(ctx context.Context, in *secretsmanager.UpdateSecretVersionStageInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.UpdateSecretVersionStageOutput, error) {
	out := &secretsmanager.UpdateSecretVersionStageOutput{}
	if *in.VersionStage == rotation.Current {
		return out, sc.store.Promote(ctx, "user", *in.RemoveFromVersionId, *in.MoveToVersionId)
	}
	sc.store.Stage("user", *in.VersionStage, aws.ToString(in.MoveToVersionId))
	return out, nil
}

func (sc *scene) RotateSecret(context.Context, *secretsmanager.RotateSecretInput, ...func(*secretsmanager.Options)) (*secretsmanager.RotateSecretOutput, error) {
	return &secretsmanager.RotateSecretOutput{}, sc.rotate()
}

// edit changes fields of AWSCURRENT's value, names and texts in turn, as somebody does
// at the console.
func (sc *scene) edit(fields ...string) {
	d := sc.store.Value("user", rotation.Current)
	for pair := range slices.Chunk(fields, 2) {
		d = d.With(pair[0], pair[1])
	}
	sc.version++
	version, old := fmt.Sprint("edited", sc.version), sc.labelled(rotation.Current)
	sc.store.Write("user", version, d)
	if err := sc.store.Promote(sc.t.Context(), "user", old, version); err != nil {
		sc.t.Fatal(err)
	}
}

// edits are what somebody may do to AWSCURRENT while a rotation is stuck.
var edits = map[string]func(*scene){
	"nothing is edited":        func(*scene) {},
	"a field is edited":        func(sc *scene) { sc.edit("keep", "other") },
	"the password is replaced": func(sc *scene) { sc.edit("password", "not-the-password") },
	"a field is edited, then the password": func(sc *scene) {
		sc.edit("keep", "other")
		sc.edit("password", "not-the-password")
	},
	"both are edited": func(sc *scene) { sc.edit("keep", "other", "password", "not-the-password") },
}

// Wherever a rotation is cut off, and whatever is edited then, recover leads out: step by
// step, after the first of which AWSCURRENT works. The next rotation succeeds.
func TestRecoverLeadsOutOfWhateverWasCutOff(t *testing.T) {
	steps := map[Step]int{}
	for name, s := range map[string]database.Strategy{"single": database.SingleUser, "administrator": database.SingleUserByAdministrator, "alternating": database.AlternatingUsers} {
		for _, overlap := range []bool{false, true} {
			healthy := newScene(t, s, overlap)
			if err := healthy.rotate(); err != nil {
				t.Fatal(err)
			}
			for _, at := range healthy.faults.Names() {
				for _, late := range []bool{false, true} {
					for what, edit := range edits {
						t.Run(fmt.Sprintf("%s,overlap=%v,%s,late=%v,%s", name, overlap, at, late, what), func(t *testing.T) {
							sc := newScene(t, s, overlap)
							sc.faults.At, sc.faults.Late, sc.faults.Lasting = at, late, true
							if sc.rotate() == nil && !sc.faults.Fired() {
								t.Fatal("the fault was not made")
							}
							edit(sc)
							sc.faults.Revive()
							sc.recovers(t, steps)
							if err := sc.rotate(); err != nil || !sc.works() {
								t.Errorf("the next rotation: %v", err)
							}
						})
					}
				}
			}
		}
	}
	t.Logf("%v", steps)
	for _, s := range []Step{Nothing, Rotate, Finish, GiveUp, Merge} {
		if steps[s] == 0 {
			t.Errorf("the step %q was never taken", s)
		}
	}
}

// recovers takes the steps until all is well.
func (sc *scene) recovers(t *testing.T, steps map[Step]int) {
	t.Helper()
	for range 4 {
		worked := sc.works()
		r, err := sc.target().Which(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		steps[r.Step]++
		if r.Step == Nothing {
			if !worked {
				t.Errorf("all is well, it says, and AWSCURRENT does not work: %+v", r)
			}
			return
		}
		if err := sc.target().Do(t.Context(), r); err != nil {
			t.Fatalf("%s: %v", r.Step, err)
		}
		if !sc.works() {
			t.Fatalf("AWSCURRENT does not work (it worked before: %v) after %+v", worked, r)
		}
	}
	t.Fatal("there is no end")
}
