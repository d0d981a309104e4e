// Package serve is the main function of a rotation Lambda: it reads the
// configuration from the environment, wires the engine to Secrets Manager, and
// answers invocations. It is the only reader of the environment, and the only
// importer of the Lambda runtime.
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
	s, err := settings(os.Getenv)
	if err != nil {
		stop(err)
	}
	r, err := s.rotator(d)
	if err != nil {
		stop(err)
	}
	start(s, d.Name(), r, d.Fields)
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
	plain, err := s.plain()
	if err != nil {
		stop(err)
	}
	r, err := make(plain)
	if err != nil {
		stop(err)
	}
	start(s, name, r, nil)
}

// plain are the settings for a rotator that is no database.
func (s config) plain() (Settings, error) {
	g, err := s.generator(password.Rules{})
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
func (s config) generator(r password.Rules) (*password.Generator, error) {
	g, err := password.New(s.password, r)
	if err == nil && g.Entropy() < password.GoodEntropy {
		logger().Warn(fmt.Sprintf("Passwords have %.0f bits of entropy, and should have %d: raise PASSWORD_LENGTH or exclude less.", g.Entropy(), password.GoodEntropy))
	}
	return g, err
}

func logger() *slog.Logger { return slog.New(lambdacontext.NewLogHandler()) }

// rotator applies the settings to a driver.
func (s config) rotator(d database.Driver) (*database.Rotator, error) {
	g, err := s.generator(d.Password)
	if err != nil {
		return nil, err
	}
	c := s.database
	c.Driver, c.Password = d, g.Generate
	c.Roots = sync.OnceValues(func() (*x509.CertPool, error) { return database.Roots(s.authorities) })
	return database.New(c)
}

func start(s config, name string, r rotation.Rotator, public []string) {
	told := logger()
	log.SetFlags(0)
	log.SetOutput(relay{told})
	told.Info("started", "rotor", Version, "engine", name)
	store, err := secretsmanager.New(context.Background(), s.endpoint, "rotor-"+Version)
	if err != nil {
		stop(err)
	}
	e := &rotation.Engine{
		Store:   store,
		Rotator: r,
		Clock:   clock{},
		Log:     told,
		Public:  public,
		Observe: metrics{name, os.Stdout, time.Now}.observe,
	}
	lambda.Start(handler{e.HandleJSON, e.Ask, told})
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
