// Package rig puts the stand-ins for Secrets Manager and Lambda and a built rotation function together, as they are on
// AWS: the function is a process of its own, started from the file that would be deployed, and RotateSecret drives it
// through the four steps. The end-to-end tests, the demo and the benchmark stand on it.
//
//	bootstrap, err := rig.Build(ctx, "github.com/seed492efc12/rotor/functions/postgres", folder)
//	r, err := rig.Open(local.Options{})
//	defer r.Close()
//	function, err := r.Start(local.FunctionConfig{Bootstrap: bootstrap})
//	secret, err := r.CreateSecret(ctx, "app", `{"engine":"postgres",...}`)
//	rotation, err := r.Rotate(ctx, secret, function)
//
// It imports no database driver.
package rig

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/seed492efc12/rotor/local"
)

// A Rig is a running stand-in with the functions that it may invoke. It is safe for concurrent use, but runs one
// rotation at a time.
type Rig struct {
	// URL is the endpoint of Secrets Manager and of Lambda, for any SDK or the AWS CLI.
	URL string
	// Client is the official SDK's, without retries.
	Client *secretsmanager.Client
	// Functions are those that were started, and those that a caller adds.
	Functions local.Functions

	service *local.SecretsManager
	server  *http.Server
	stopped chan error // what serving ended with
	turn    sync.Mutex // held during a rotation

	mu      sync.Mutex
	started map[string]*Function // by ARN
	tokens  []string             // every RotationToken handed out
	record
}

// Open starts a stand-in. Options.Invoke is the rig's own; OnRequest and OnStep are called besides what the rig does
// with them. Close the rig when done.
func Open(o local.Options) (*Rig, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &Rig{URL: "http://" + listener.Addr().String(), started: map[string]*Function{}, stopped: make(chan error, 1)}
	onRequest, onStep := o.OnRequest, o.OnStep
	o.Invoke = invoker{&r.Functions, r}
	o.OnRequest = func(q local.Request) {
		r.request(q)
		if onRequest != nil {
			onRequest(q)
		}
	}
	o.OnStep = func(s local.Step) {
		r.step(s)
		if onStep != nil {
			onStep(s)
		}
	}
	r.service = local.NewSecretsManager(o)
	r.server = &http.Server{Handler: r.service.Endpoint(), ConnState: r.connection, ReadHeaderTimeout: time.Minute}
	go func() { r.stopped <- r.server.Serve(listener) }()
	region := o.Region
	if region == "" {
		region = "us-east-1"
	}
	r.Client = secretsmanager.New(secretsmanager.Options{
		Region: region, BaseEndpoint: &r.URL, Retryer: aws.NopRetryer{}, Credentials: aws.CredentialsProviderFunc(dummy),
	})
	return r, nil
}

// dummy credentials are good for the stand-in, which checks none.
func dummy(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
}

// Close stops the rotations, the functions and the stand-in, and returns when their processes are gone. It may be
// called more than once.
func (r *Rig) Close() error {
	r.service.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, f := range r.started {
		errs = append(errs, f.Close())
	}
	errs = append(errs, r.server.Close())
	if err := <-r.stopped; !errors.Is(err, http.ErrServerClosed) {
		errs = append(errs, err)
	}
	r.stopped <- http.ErrServerClosed // for the next call
	return errors.Join(errs...)
}

// CreateSecret stores a value, as AWSCURRENT, under a name that is not taken.
func (r *Rig) CreateSecret(ctx context.Context, name, value string) (arn string, err error) {
	out, err := r.Client.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: &name, SecretString: &value})
	if err != nil {
		return "", err
	}
	return aws.ToString(out.ARN), nil
}

// Value reads the version of a secret that has a staging label.
func (r *Rig) Value(ctx context.Context, secret, stage string) (string, error) {
	out, err := r.Client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &secret, VersionStage: &stage})
	if err != nil {
		return "", err
	}
	return aws.ToString(out.SecretString), nil
}

// RotationTokens are all that functions have been given so far. They are as sensitive as a password: look for them
// where they must not be.
func (r *Rig) RotationTokens() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.tokens)
}

// An invoker notes the RotationToken of each event on its way.
type invoker struct {
	*local.Functions
	r *Rig
}

func (i invoker) Invoke(ctx context.Context, arn string, payload []byte) error {
	i.r.invoking()
	var event struct{ RotationToken string }
	if json.Unmarshal(payload, &event) == nil {
		i.r.handedOut(event.RotationToken)
	}
	return i.Functions.Invoke(ctx, arn, payload)
}

func (r *Rig) handedOut(token string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if token != "" && !slices.Contains(r.tokens, token) {
		r.tokens = append(r.tokens, token)
	}
}
