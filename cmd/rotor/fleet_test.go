package main_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/seed492efc12/rotor/framework/serve"
	"github.com/seed492efc12/rotor/internal/fleet"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/local"
	"github.com/seed492efc12/rotor/local/functiontest"
	"github.com/seed492efc12/rotor/scripts/engines"
)

const (
	day   = 24 * time.Hour
	every = 30 // days
)

// A stage is a region with a fleet in it, of which the test knows the states.
type stage struct {
	*region
	client  *secretsmanager.Client
	hold    chan struct{}   // if set, functions that have no process wait until it is closed
	invoked local.Functions // all functions; region.lambda lists those that still are

	// steps do what functions do of which there is no process, by ARN.
	steps map[string]func(ctx context.Context, step, secret, token string) error

	mu        sync.Mutex
	phases    []phase
	states    map[string]fleet.State // by the secret's name
	passwords []string
}

// A phase is from when on the services' clock is how far back.
type phase struct {
	from time.Time
	back time.Duration
}

// setBack puts the services' clock back from now on.
func (s *stage) setBack(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.phases = append(s.phases, phase{time.Now(), d})
}

// at is what the services' clock said at a time.
func (s *stage) at(when time.Time) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range slices.Backward(s.phases) {
		if when.After(p.from) {
			return when.Add(-p.back)
		}
	}
	return when
}

// open makes a region without secrets.
func open(t *testing.T, name string) *stage {
	s := &stage{states: map[string]fleet.State{}}
	service := local.NewSecretsManager(local.Options{
		Region: name, Retries: -1, Invoke: invoker{s},
		Now: func() time.Time { return s.at(time.Now()) },
	})
	server, err := service.Serve()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	s.region = &region{secrets: service, lambda: new(local.Functions), owners: map[string]string{}, primaries: map[string]string{}, logs: &journal{at: s.at}}
	s.client = secretsmanager.New(secretsmanager.Options{Region: name, BaseEndpoint: &server.URL,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		})})
	return s
}

// An invoker runs the functions. Those of which there is no process, for secrets
// that are many, do what each step must and touch no server.
type invoker struct{ s *stage }

func (i invoker) Invocable(string) bool { return true }

func (i invoker) Invoke(ctx context.Context, arn string, payload []byte) error {
	if i.s.invoked.Invocable(arn) {
		return i.s.invoked.Invoke(ctx, arn, payload)
	}
	if i.s.hold != nil {
		<-i.s.hold
	}
	var e struct{ Step, SecretId, ClientRequestToken string }
	if err := json.Unmarshal(payload, &e); err != nil {
		return err
	}
	if do := i.s.steps[arn]; do != nil {
		return do(ctx, e.Step, e.SecretId, e.ClientRequestToken)
	}
	switch e.Step {
	case "createSecret":
		_, err := i.s.client.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: &e.SecretId, ClientRequestToken: &e.ClientRequestToken,
			SecretString: aws.String(`{"key":"new"}`), VersionStages: []string{"AWSPENDING"}})
		return err
	case "finishSecret":
		before, err := i.s.version(ctx, e.SecretId, "AWSCURRENT")
		if err != nil {
			return err
		}
		_, err = i.s.client.UpdateSecretVersionStage(ctx, &secretsmanager.UpdateSecretVersionStageInput{SecretId: &e.SecretId,
			VersionStage: aws.String("AWSCURRENT"), MoveToVersionId: &e.ClientRequestToken, RemoveFromVersionId: &before})
		return err
	}
	return nil
}

func (s *stage) version(ctx context.Context, secret, label string) (string, error) {
	out, err := s.client.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &secret})
	if err != nil {
		return "", err
	}
	for version, labels := range out.VersionIdsToStages {
		for _, l := range labels {
			if l == label {
				return version, nil
			}
		}
	}
	return "", fmt.Errorf("%s has no %s", secret, label)
}

// declare lists a function that does not run here.
func (s *stage) declare(name, description, runtime, region string) (arn string) {
	f := local.DeclareFunction(local.FunctionConfig{Name: name, Description: description, Runtime: runtime, Region: region})
	s.lambda.Add(f)
	return f.ARN()
}

// create makes a secret of a value.
func (s *stage) create(ctx context.Context, name string, value map[string]any, state fleet.State) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.states[name] = state
	if p, ok := value["password"].(string); ok {
		s.passwords = append(s.passwords, p)
	}
	s.mu.Unlock()
	_, err = s.client.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: &name, SecretString: aws.String(string(text))})
	return err
}

// rotate configures and starts a rotation, or a trial, and waits for its end.
func (s *stage) rotate(ctx context.Context, name, function string, trial bool) error {
	out, err := s.client.RotateSecret(ctx, &secretsmanager.RotateSecretInput{SecretId: &name, RotationLambdaARN: &function,
		RotateImmediately: aws.Bool(!trial), RotationRules: &types.RotationRulesType{AutomaticallyAfterDays: aws.Int64(every)}})
	if err != nil {
		return err
	}
	if err := s.secrets.Wait(ctx, name, *out.VersionId); err != nil {
		return fmt.Errorf("%w: %w", errNotRotated, err)
	}
	return nil
}

var errNotRotated = errors.New("the rotation failed")

// A way is how a secret comes to its state: so long ago, by what is done to a user's
// secret.
type way struct {
	name  string
	count int
	ago   time.Duration
	state fleet.State
	// value changes what is stored, if it is set.
	value func(secret map[string]any)
	do    func(ctx context.Context, s *stage, name, function string) error
}

// rotated rotates, and that goes well.
func rotated(ctx context.Context, s *stage, name, function string) error {
	return s.rotate(ctx, name, function, false)
}

// failed rotates, and that goes wrong.
func failed(ctx context.Context, s *stage, name, function string) error {
	err := s.rotate(ctx, name, function, false)
	if !errors.Is(err, errNotRotated) {
		return fmt.Errorf("the rotation should have failed: %w", err)
	}
	return nil
}

func wrongPassword(secret map[string]any) { secret["password"] = "not-the-password" }

// ways are those of secrets of one engine, the longest ago first. Their counts are
// per engine, of which there are three.
func ways() []way {
	return []way{
		{"overdue", 4, 40 * day, fleet.Overdue, nil, rotated},
		{"ok", 12, 10 * day, fleet.OK, nil, rotated},
		{"gone", 4, 10 * day, fleet.Gone, nil, func(ctx context.Context, s *stage, name, function string) error {
			return s.rotate(ctx, name, strings.Replace(function, ":function:rotor-", ":function:old-", 1), false)
		}},
		{"off", 4, 9 * day, fleet.Off, nil, func(ctx context.Context, s *stage, name, function string) error {
			if err := s.rotate(ctx, name, function, false); err != nil {
				return err
			}
			_, err := s.client.CancelRotateSecret(ctx, &secretsmanager.CancelRotateSecretInput{SecretId: &name})
			return err
		}},
		{"stuck/value", 4, 3 * day, fleet.Stuck, wrongPassword, func(ctx context.Context, s *stage, name, function string) error {
			return errors.Join(failed(ctx, s, name, function), s.pendingHasValue(ctx, name, true))
		}},
		{"stuck/none", 4, 2 * day, fleet.Stuck, func(secret map[string]any) { delete(secret, "username") }, func(ctx context.Context, s *stage, name, function string) error {
			return errors.Join(failed(ctx, s, name, function), s.pendingHasValue(ctx, name, false))
		}},
		{"first", 4, day, fleet.Ahead, nil, func(ctx context.Context, s *stage, name, function string) error {
			return s.rotate(ctx, name, function, true)
		}},
		{"trial", 2, day, fleet.Ahead, wrongPassword, triedInVain},
	}
}

// triedInVain starts a trial, and that says no.
func triedInVain(ctx context.Context, s *stage, name, function string) error {
	if err := s.rotate(ctx, name, function, true); !errors.Is(err, errNotRotated) {
		return fmt.Errorf("the trial should have failed: %w", err)
	}
	return nil
}

func (s *stage) pendingHasValue(ctx context.Context, name string, want bool) error {
	_, err := s.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &name, VersionStage: aws.String("AWSPENDING")})
	if (err == nil) != want {
		return fmt.Errorf("%s: AWSPENDING's value: %v", name, err)
	}
	return nil
}

// An engine is a server that is real where one can be had, and its function.
type engine struct {
	engines.Engine
	name     string
	server   *servertest.Example
	function string
}

// engineOf starts both. The function is there twice, and listed once: its other name
// is of one that went.
func (s *stage) engineOf(t *testing.T, name, region string) engine {
	t.Helper()
	return s.engineWith(t, name, region, nil)
}

// engineWith starts both, the function with these settings. The name may be that of an engine or a product.
func (s *stage) engineWith(t *testing.T, name, region string, settings map[string]string) engine {
	t.Helper()
	row, product := productOf(t, name)
	server, err := product.Example(t.Context())
	if err != nil {
		t.Log(err)
		servertest.Absent(t, product.Title)
	}
	t.Cleanup(func() {
		if err := server.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	t.Log(server.Announcement())
	e := engine{Engine: row, name: name, server: server}
	s.invoked.Add(s.start(t, e, "old-"+name, region, settings))
	f := s.start(t, e, "rotor-"+name, region, settings)
	s.invoked.Add(f)
	s.lambda.Add(f)
	e.function = f.ARN()
	return e
}

// start starts a function of an engine, with settings besides those that it needs.
func (s *stage) start(t *testing.T, e engine, name, region string, settings map[string]string) *local.Function {
	t.Helper()
	env := map[string]string{"SECRETS_MANAGER_ENDPOINT": *s.client.Options().BaseEndpoint}
	maps.Copy(env, e.server.Env)
	maps.Copy(env, settings)
	f, err := local.StartFunction(local.FunctionConfig{Bootstrap: functiontest.Bootstrap(t, e.Function()), Env: env, Name: name, Region: region,
		Description: "Rotor " + serve.Version + ": rotates secrets of " + e.Title() + ".", Log: s.logs.of("/aws/lambda/" + name)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// productOf finds an engine's first product, or a product, by its name.
func productOf(t *testing.T, name string) (engines.Engine, engines.Product) {
	t.Helper()
	if e, err := engines.Find(name); err == nil {
		return e, e.Products[0]
	}
	for _, e := range engines.All() {
		for _, p := range e.Products {
			if p.Name == name {
				return e, p
			}
		}
	}
	t.Fatalf("there is no engine or product %q", name)
	return engines.Engine{}, engines.Product{}
}

// fill makes an engine's secrets of one way.
func (s *stage) fill(ctx context.Context, e engine, w way) error {
	for i := range w.count {
		user, err := e.server.User(ctx, fmt.Sprintf("%s%d", strings.ReplaceAll(w.name, "/", "_"), i))
		if err != nil {
			return err
		}
		if w.value != nil {
			w.value(user)
		}
		name := fmt.Sprintf("%s/%s/%d", e.name, w.name, i)
		if err := s.create(ctx, name, user, w.state); err != nil {
			return err
		}
		if err := w.do(ctx, s, name, e.function); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// others makes secrets that no server is needed for: of other functions, of none, of
// services, and those that are many and well.
func (s *stage) others(t *testing.T) {
	byAWS := s.declare("SecretsManagerRDS", "Conducts an AWS SecretsManager secret rotation for RDS MySQL using single user rotation scheme", "python3.13", "eu-west-1")
	theirs := s.declare("rotate-keys", "Rotates keys.", "nodejs22.x", "eu-west-1")
	many := s.declare("rotor-many", "Rotor "+serve.Version+": rotates secrets of nothing.", "provided.al2023", "eu-west-1")
	for i := range 30 { // a page of functions, and more
		s.declare(fmt.Sprint("unrelated", i), "Does something else.", "nodejs22.x", "eu-west-1")
	}
	s.setBack(10 * day)
	for _, k := range []struct {
		name, function string
		state          fleet.State
		count          int
	}{
		{"plain", "", fleet.Unrotated, 6}, {"aws", byAWS, fleet.ByAWS, 6}, {"theirs", theirs, fleet.ByOthers, 6}, {"rds", "", fleet.ByAService, 6},
		{"=cmd", "", fleet.Unrotated, 1}, {"+plus", "", fleet.Unrotated, 1}, {"-minus", "", fleet.Unrotated, 1}, {"@at", many, fleet.OK, 1},
		{"many", many, fleet.OK, 400 - 3*38 - 28},
	} {
		for i := range k.count {
			name := k.name
			if k.count > 1 {
				name = fmt.Sprintf("%s/%03d", k.name, i)
			}
			if k.state == fleet.ByAService {
				s.owners[name] = "rds"
			}
			if err := s.create(t.Context(), name, map[string]any{"key": "value"}, k.state); err != nil {
				t.Fatal(err)
			}
			if k.function == "" {
				continue
			}
			if err := s.rotate(t.Context(), name, k.function, false); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
	}
}

// newFleet makes 400 secrets, of which 60 and more are broken.
func newFleet(t *testing.T) *stage {
	s := open(t, "eu-west-1")
	var all []engine
	for _, name := range []string{"postgres", "mysql", "documentdb"} {
		all = append(all, s.engineOf(t, name, "eu-west-1"))
	}
	for _, w := range ways() {
		s.setBack(w.ago)
		var wg sync.WaitGroup
		for _, e := range all {
			wg.Go(func() {
				if err := s.fill(t.Context(), e, w); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		t.Logf("%s: %v", w.name, time.Since(s.phases[len(s.phases)-1].from))
	}
	s.others(t)
	t.Logf("the others: %v", time.Since(s.phases[len(s.phases)-1].from))
	s.setBack(0)
	if t.Failed() {
		t.FailNow()
	}
	s.keepPasswords(t)
	return s
}

// keepPasswords notes all that the secrets hold, to look for them later.
func (s *stage) keepPasswords(t *testing.T) {
	for name := range s.states {
		for _, label := range []string{"AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"} {
			out, err := s.client.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &name, VersionStage: &label})
			if err != nil {
				continue // it has no such version
			}
			var value struct{ Password string }
			if json.Unmarshal([]byte(aws.ToString(out.SecretString)), &value) == nil && value.Password != "" {
				s.passwords = append(s.passwords, value.Password)
			}
		}
	}
	if len(s.passwords) < 200 {
		t.Errorf("%d passwords are known", len(s.passwords))
	}
}
