// Package serve is the main function of a rotation Lambda: it reads the
// configuration from the environment, wires the engine to Secrets Manager, and
// answers invocations. No other code of a rotation function reads the
// environment or imports the Lambda runtime.
package serve

import (
	"context"
	"crypto/x509"
	"fmt"
	"log"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/password"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secretsmanager"
)

// Database runs a Lambda function that rotates users of the driver's server.
// It does not return. A setting that is not valid stops the function as it
// starts, with an error that names the setting.
func Database(d database.Driver) {
	e, err := Engine(d, os.Getenv, nil, logger())
	if err != nil {
		stop(err)
	}
	start(d.Name(), e)
}

// Engine returns what [Database] runs, over a store and with a log of the
// caller's. Getenv has the settings: the environment of a function. The error
// names each that is not valid.
func Engine(d database.Driver, getenv func(string) string, store rotation.Store, log *slog.Logger) (*rotation.Engine, error) {
	s, err := settings(getenv)
	if err != nil {
		return nil, err
	}
	r, err := s.rotator(d, log)
	if err != nil {
		return nil, err
	}
	return &rotation.Engine{Store: store, Rotator: r, Clock: clock{}, Log: log, Public: d.Fields}, nil
}

// Settings are those of the environment that any rotator may want.
type Settings struct {
	// Roots are the certificate authorities to trust: the system's, and those of
	// CA_BUNDLE.
	Roots *x509.CertPool
	// Password returns a new password at each call, as PASSWORD_LENGTH,
	// EXCLUDE_CHARACTERS and so on say.
	Password func() string
	// ConnectTimeout is CONNECT_TIMEOUT, or ten seconds.
	ConnectTimeout time.Duration
}

// Rotator runs a Lambda function that rotates with what make returns. It does
// not return. Name is what metrics call this kind of secret. An error of make
// stops the function as it starts.
func Rotator(name string, make func(Settings) (rotation.Rotator, error)) {
	s, err := settings(os.Getenv)
	if err != nil {
		stop(err)
	}
	told := logger()
	plain, err := s.plain(told)
	if err != nil {
		stop(err)
	}
	r, err := make(plain)
	if err != nil {
		stop(err)
	}
	start(name, &rotation.Engine{Rotator: r, Clock: clock{}, Log: told})
}

// plain are the settings for a rotator that is no database.
func (s config) plain(log *slog.Logger) (Settings, error) {
	g, err := s.generator(password.Rules{}, log)
	if err != nil {
		return Settings{}, err
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool() // a bare system: CA_BUNDLE must do
	}
	roots.AppendCertsFromPEM(s.authorities)
	timeout := s.database.ConnectTimeout
	if timeout == 0 {
		timeout = database.DefaultConnectTimeout
	}
	return Settings{roots, g.Generate, timeout}, nil
}

// generator makes passwords, and says so if they are weaker than they should be.
func (s config) generator(r password.Rules, log *slog.Logger) (*password.Generator, error) {
	g, err := password.New(s.password, r)
	if err == nil && g.Entropy() < password.GoodEntropy {
		log.Warn(fmt.Sprintf("Passwords have %.0f bits of entropy, and should have %d: raise PASSWORD_LENGTH or exclude less.", g.Entropy(), password.GoodEntropy))
	}
	return g, err
}

func logger() *slog.Logger { return slog.New(lambdacontext.NewLogHandler()) }

// rotator applies the settings to a driver.
func (s config) rotator(d database.Driver, log *slog.Logger) (*database.Rotator, error) {
	g, err := s.generator(d.Password, log)
	if err != nil {
		return nil, err
	}
	c := s.database
	c.Driver, c.Password = d, g.Generate
	c.Roots = sync.OnceValues(func() (*x509.CertPool, error) { return database.Roots(s.authorities) })
	return database.New(c)
}

// start serves invocations by e, over Secrets Manager.
func start(name string, e *rotation.Engine) {
	log.SetFlags(0)
	log.SetOutput(relay{e.Log})
	e.Log.Info("started", "rotor", Version, "engine", name)
	store, err := secretsmanager.New(context.Background(), os.Getenv("SECRETS_MANAGER_ENDPOINT"), "rotor-"+Version)
	if err != nil {
		stop(err)
	}
	e.Store, e.Observe = store, metrics{name, os.Stdout, time.Now}.observe
	lambda.Start(handler{e.HandleJSON, e.Ask, e.Log})
}

type clock struct{}

func (clock) Now() time.Time { return time.Now() }

func (clock) Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
