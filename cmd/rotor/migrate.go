package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/spf13/cobra"

	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/internal/fleet"
	"github.com/seed492efc12/rotor/internal/operate"
)

type migrateOptions struct {
	to, back, undo string
	wait           time.Duration
	yes            bool
}

func migrateCommand(t *terminal, c *clouds) *cobra.Command {
	var o migrateOptions
	cmd := &cobra.Command{
		Use:   "migrate SECRET... --to FUNCTION --back FILE",
		Short: "Go from AWS's rotation functions to Rotor's, and back",
		Long: `Have a function of Rotor's rotate secrets that AWS's functions rotate now. For each secret: the settings of both functions are compared; the
way back is written to a file; the new function is attached with the secret's own schedule, and tried; if the trial says no, the old
one is attached again. Nothing is rotated. Without --yes the settings are compared, and nothing is changed. --undo attaches
what the file names.

It takes secretsmanager:DescribeSecret and RotateSecret, lambda:GetFunctionConfiguration on both functions, and lambda:InvokeFunction on both.`,
		Example: `  rotor migrate shop/orders --to rotor-postgres
  rotor migrate shop/orders --to rotor-postgres --back back.json --yes
  rotor migrate --undo back.json`,
		RunE: func(cmd *cobra.Command, args []string) error { return migrate(cmd.Context(), t, c, o, args) },
	}
	cmd.Flags().StringVar(&o.to, "to", "", "name or ARN of the function of Rotor's")
	cmd.Flags().StringVar(&o.back, "back", "", "file to which the way back is added")
	cmd.Flags().StringVar(&o.undo, "undo", "", "file whose way back to go")
	cmd.Flags().DurationVar(&o.wait, "wait", 3*time.Minute, "how long to wait for each trial")
	cmd.Flags().BoolVar(&o.yes, "yes", false, "do it")
	return cmd
}

func migrate(ctx context.Context, t *terminal, c *clouds, o migrateOptions, args []string) error {
	switch {
	case o.undo != "" && (o.to != "" || o.back != "" || len(args) > 0):
		return usageError{errors.New("--undo takes a file alone")}
	case o.undo == "" && (o.to == "" || len(args) == 0):
		return usageError{errors.New("a secret and --to are required, or --undo")}
	case o.undo == "" && o.yes && o.back == "":
		return usageError{errors.New("--back FILE is required: it is the way back")}
	}
	cloud, err := c.one(ctx)
	if err != nil {
		return err
	}
	if o.undo != "" {
		return goBack(ctx, t, cloud, o)
	}
	to, err := functionOf(ctx, cloud, o.to)
	if err != nil {
		return err
	}
	if fleet.FunctionOf(to).Kind != fleet.Rotor {
		t.progress("note: the description of %s does not say that it is one of Rotor's", o.to)
	}
	names, err := chosen(ctx, cloud, args)
	if err != nil {
		return err
	}
	act := false
	for _, name := range names {
		switch err := migrateOne(ctx, t, cloud, o, name, to); {
		case errors.Is(err, errAct):
			act = true
		case err != nil:
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if act {
		return errAct
	}
	return nil
}

// migrateOne migrates a secret, or only says how it would if --yes is not given.
func migrateOne(ctx context.Context, t *terminal, c cloud, o migrateOptions, name string, to types.FunctionConfiguration) error {
	d, err := describe(ctx, c, name)
	if err != nil {
		return err
	}
	was, err := operate.AttachmentOf(d)
	if err != nil {
		return err
	}
	if was.Function == aws.ToString(to.FunctionArn) {
		fmt.Fprintf(t.out, "%s: %s rotates it already\n", name, o.to)
		return nil
	}
	from, err := functionOf(ctx, c, was.Function)
	if err != nil {
		return err
	}
	fmt.Fprintf(t.out, "%s: from %s to %s\n", name, aws.ToString(from.FunctionName), aws.ToString(to.FunctionName))
	for _, line := range operate.Differences(variables(from), variables(to)) {
		fmt.Fprintf(t.out, "  %s\n", line)
	}
	follows := cmp.Or(variables(to)["ROTATION_STRATEGY"], "single-user")
	if s := operate.Strategy(aws.ToString(from.FunctionName), aws.ToString(from.Description)); s != "" && (s == "alternating-users") != (follows == "alternating-users") {
		return fmt.Errorf("%s rotates by %s, and %s by %s: deploy one with ROTATION_STRATEGY=%s", aws.ToString(from.FunctionName), s, aws.ToString(to.FunctionName), follows, s)
	}
	if !o.yes {
		fmt.Fprintf(t.out, "  --yes --back FILE attaches and tries it\n")
		return errAct
	}
	if err := operate.WriteBack(o.back, was); err != nil {
		return fmt.Errorf("writing the way back, before anything is changed: %w", err)
	}
	return attach(ctx, t, c, o, name, was, was.With(aws.ToString(to.FunctionArn)))
}

// attach attaches a secret's new function and tries it. What was attached before is
// attached again if the trial says no, or cannot be asked.
func attach(ctx context.Context, t *terminal, c cloud, o migrateOptions, name string, was, is operate.Attachment) error {
	t.progress("%s: attaching, and trying", name)
	err := is.Attach(ctx, c.secrets, o.wait)
	var a rotation.Answer
	if err == nil {
		a, err = operate.Function{Invoker: c.functions, ARN: is.Function}.Ask(ctx, rotation.AskPlan, is.ARN, "")
	}
	if err == nil && a.Failure == nil {
		printPlan(t, name, a)
		return nil
	}
	if a.Failure != nil {
		tell(t, name, a.Failure)
		err = errAct
	}
	if back := was.Attach(ctx, c.secrets, o.wait); back != nil {
		return errors.Join(err, fmt.Errorf("%s could not be attached again (%w): rotor migrate --undo %s does", was.Function, back, o.back))
	}
	fmt.Fprintf(t.out, "%s: %s is attached again, and nothing was rotated. Do what is said, and migrate again; a rotation now would be by that function\n", name, was.Function[strings.LastIndex(was.Function, ":")+1:])
	return explained(err, "")
}

// goBack attaches what a file names.
func goBack(ctx context.Context, t *terminal, c cloud, o migrateOptions) error {
	f, err := os.Open(o.undo)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	all, err := operate.ReadBack(f)
	if err != nil {
		return fmt.Errorf("%s: %w", o.undo, err)
	}
	if len(all) > 1 && !o.yes {
		for _, a := range all {
			fmt.Fprintf(t.out, "%s: back to %s\n", a.ARN, a.Function)
		}
		return usageError{fmt.Errorf("%d secrets: --yes does it", len(all))}
	}
	for _, a := range all {
		if err := a.Attach(ctx, c.secrets, o.wait); err != nil {
			return fmt.Errorf("%s: %w", a.ARN, explained(err, "secretsmanager:RotateSecret"))
		}
		fmt.Fprintf(t.out, "%s: %s rotates it again\n", a.ARN, a.Function[strings.LastIndex(a.Function, ":")+1:])
	}
	return nil
}

func functionOf(ctx context.Context, c cloud, name string) (types.FunctionConfiguration, error) {
	out, err := c.functions.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &name})
	if err != nil {
		return types.FunctionConfiguration{}, fmt.Errorf("looking for the function %s: %w", name, explained(err, "lambda:GetFunctionConfiguration"))
	}
	if e := out.Environment; e != nil && e.Error != nil {
		err := fmt.Errorf("reading the settings of the function %s: %s: %s", name, aws.ToString(e.Error.ErrorCode), aws.ToString(e.Error.Message))
		return types.FunctionConfiguration{}, fmt.Errorf("%w%s", err, lacking("kms:Decrypt on the key of its environment"))
	}
	return types.FunctionConfiguration{FunctionArn: out.FunctionArn, FunctionName: out.FunctionName, Description: out.Description, Runtime: out.Runtime,
		Environment: out.Environment, Timeout: out.Timeout}, nil
}

func variables(c types.FunctionConfiguration) map[string]string {
	if c.Environment == nil {
		return nil
	}
	return c.Environment.Variables
}
