package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/spf13/cobra"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
	store "github.com/seed492efc12/rotor/framework/secretsmanager"
	"github.com/seed492efc12/rotor/framework/serve"
	"github.com/seed492efc12/rotor/internal/fleet"
	"github.com/seed492efc12/rotor/internal/operate"
)

// direct are the options of a command that may ask the database from here, in the
// place of the secret's function.
type direct struct {
	on       bool
	bundle   string // path
	function string // of rotor plan: whose settings hold, if not those of the secret's own
}

// directHelp ends the help of such a command.
const directHelp = `

With --direct the database is asked from here, by the same code and with the function's settings. It takes secretsmanager:DescribeSecret and
GetSecretValue on the secret and on the administrator's, kms:Decrypt on their keys, and lambda:GetFunctionConfiguration on the function, in place
of lambda:InvokeFunction. What the function's own role may read, and what it reaches, is not tried then.`

func (o *direct) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.on, "direct", false, "ask the database from here, in the function's place")
	cmd.Flags().StringVar(&o.bundle, "ca-bundle", "", "with --direct: `FILE` of certificate authorities, in place of the function's CA_BUNDLE")
}

// check refuses options that mean nothing together.
func (o *direct) check() error {
	if o.bundle != "" && !o.on {
		return usageError{errors.New("--ca-bundle goes with --direct: a function has its own CA_BUNDLE")}
	}
	return nil
}

// asks says who is asked about a secret.
func (o *direct) asks(secret string) string {
	if o.on {
		return "asking the database of " + secret + ", from here"
	}
	return "asking the function of " + secret
}

// known is how far an answer goes.
func (o *direct) known() string {
	if o.on {
		return "from here: what the function may read and reaches was not tried"
	}
	return "before"
}

// asker is who answers questions about a secret: its function, or this process.
func (o *direct) asker(ctx context.Context, t *terminal, c cloud, d *secretsmanager.DescribeSecretOutput) (operate.Asker, error) {
	attached := aws.ToString(d.RotationLambdaARN)
	other := o.function != "" && !names(o.function, attached)
	switch {
	case o.on:
		return o.here(ctx, t, c, d, other)
	case other && attached == "":
		return nil, fmt.Errorf("%s cannot be asked: a function reads only secrets that name it. --direct makes the plan here, where the database can be reached; "+
			"aws secretsmanager rotate-secret --no-rotate-immediately --rotation-lambda-arn attaches the function, and tries it", o.function)
	case other:
		return nil, fmt.Errorf("%s cannot be asked: a function reads only secrets that name it, and this one names %s. --direct makes the plan here, where the database can be reached; "+
			"rotor migrate SECRET --to %s attaches the function, tries it, and goes back if that fails", o.function, attached, o.function)
	case attached == "":
		return nil, errors.New("no function rotates it: configure its rotation first (aws secretsmanager rotate-secret --no-rotate-immediately)")
	}
	return operate.Function{Invoker: c.functions, ARN: attached}, nil
}

// names reports whether a name, or an ARN of whichever version, is of the function.
func names(function, arn string) bool {
	f := fleet.Function{ARN: arn}
	return function == arn || arn != "" && (function == f.Name() || strings.HasPrefix(arn, function+":"))
}

// here answers in this process, in the place of the secret's function or, if other, of
// the one that the command line names.
func (o *direct) here(ctx context.Context, t *terminal, c cloud, d *secretsmanager.DescribeSecretOutput, other bool) (operate.Asker, error) {
	function := aws.ToString(d.RotationLambdaARN)
	p := operate.Place{Store: store.Over(c.secrets)}
	if other {
		function, p.Unattached = o.function, aws.ToString(d.ARN)
	}
	if function == "" {
		return nil, errors.New("no function rotates it, so that there are no settings to go by: rotor plan --direct --function FUNCTION takes those of a function that is to rotate it. If there is none yet, deploy one (docs/deploy.md)")
	}
	configuration, err := functionOf(ctx, c, function)
	if err != nil {
		return nil, err
	}
	f := fleet.FunctionOf(configuration)
	if f.Kind == fleet.AWS || f.Kind != fleet.Rotor && o.function == "" {
		return nil, fmt.Errorf(`the function %s is not one of Rotor's, whose descriptions begin with "Rotor VERSION: ". rotor plan --direct --function FUNCTION goes by one that is to take its place`, f.Name())
	}
	if f.Version != serve.Version {
		t.progress("note: the function %s is of %s, and this is Rotor %s: it may answer otherwise", f.Name(), cmp.Or(f.Version, "an unknown version"), serve.Version)
	}
	driver, err := driverOf(ctx, c, f, d)
	if err != nil {
		return nil, err
	}
	getenv, err := o.settings(f.Name(), variables(configuration))
	if err != nil {
		return nil, err
	}
	forgetClients()
	p.Function, p.Within = f.ARN, time.Duration(aws.ToInt32(configuration.Timeout))*time.Second
	direct, err := operate.NewDirect(p, func(s rotation.Store) (*rotation.Engine, error) {
		return serve.Engine(driver, getenv, s, slog.New(slog.DiscardHandler))
	})
	if err != nil {
		return nil, fmt.Errorf("the settings of %s: %w", f.Name(), err)
	}
	return direct, nil
}

// driverOf is what the function links, as its description tells. If that does not, it
// is the driver of the secret's engine.
func driverOf(ctx context.Context, c cloud, f fleet.Function, d *secretsmanager.DescribeSecretOutput) (database.Driver, error) {
	if known, ok := drivers[f.Servers]; ok {
		return known, nil
	}
	out, err := c.secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: d.ARN})
	if err != nil {
		return database.Driver{}, explained(err, "secretsmanager:GetSecretValue")
	}
	value, err := secret.Parse([]byte(aws.ToString(out.SecretString)))
	if err != nil {
		return database.Driver{}, fmt.Errorf("reading the AWSCURRENT secret: %w", err)
	}
	engine := value.Text("engine")
	var known []string
	for _, driver := range drivers {
		if slices.Contains(driver.Engines, engine) {
			return driver, nil
		}
		known = append(known, driver.Engines...)
	}
	slices.Sort(known)
	return database.Driver{}, fmt.Errorf("the AWSCURRENT secret is for the engine %q; Rotor rotates %s", engine, strings.Join(known, ", "))
}

// settings are the function's, as it would read them. A path in CA_BUNDLE is of a file
// in the function's package: another of that name here would be another.
func (o *direct) settings(function string, variables map[string]string) (getenv func(string) string, err error) {
	bundle := variables["CA_BUNDLE"]
	switch {
	case o.bundle != "":
		pem, err := os.ReadFile(o.bundle)
		if err != nil {
			return nil, fmt.Errorf("--ca-bundle: %w", err)
		}
		if !database.IsCertificates(pem) {
			return nil, fmt.Errorf("--ca-bundle: no certificate in PEM form was found in %s", o.bundle)
		}
		bundle = string(pem)
	case bundle != "" && !strings.Contains(bundle, "-----BEGIN"):
		return nil, fmt.Errorf("CA_BUNDLE of %s is %s, a file in the function's package: --ca-bundle FILE gives the same certificates here", function, bundle)
	}
	all := maps.Clone(variables)
	if bundle != "" {
		all["CA_BUNDLE"] = bundle
	}
	return func(name string) string { return all[name] }, nil
}

// forgetClients takes from the environment what client libraries would heed that a
// shell has for psql, mongosh or sqlcmd, and no function: other settings, and logs of
// what they send.
func forgetClients() {
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if slices.ContainsFunc([]string{"PG", "MONGODB_", "MSSQL_"}, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
			_ = os.Unsetenv(name) // it fails for no name that is there
		}
	}
}

// told is how a command ends after an answer with a failure, or none: by err, unless
// the failure may be so from here alone.
func (o *direct) told(t *terminal, name string, f *rotation.Failure, err error) error {
	hint := o.hint(f)
	if hint == "" {
		return err
	}
	t.progress("%s: %s", name, hint)
	if f.Class == rotation.TLS && o.bundle == "" {
		return err // the function trusts nobody else
	}
	return errTold
}

// hint says what a failure on the way to the database is worth that was met from here:
// nobody knows what the function would meet. It is empty for all others.
func (o *direct) hint(f *rotation.Failure) string {
	if !o.on || f == nil {
		return ""
	}
	switch f.Class {
	case rotation.DNS, rotation.Unreachable, rotation.Timeout:
		return "so it is from here, and says nothing of the function: databases are where only their functions get in. " +
			"Without --direct the secret's function is asked; with it, run rotor where the database can be reached"
	case rotation.TLS:
		return "so it is from here. --ca-bundle FILE takes the place of the function's CA_BUNDLE"
	}
	return ""
}

// options are those to give again.
func (o *direct) options() string {
	var s string
	if o.on {
		s = " --direct"
	}
	if o.bundle != "" {
		s += fmt.Sprintf(" --ca-bundle %q", o.bundle)
	}
	return s
}
