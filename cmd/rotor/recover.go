package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/spf13/cobra"

	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/internal/operate"
)

func recoverCommand(t *terminal, c *clouds) *cobra.Command {
	var yes bool
	var o direct
	cmd := &cobra.Command{
		Use:   "recover SECRET",
		Short: "Say which of a secret's versions works, and the one safe step on",
		Long: `Say which of AWSCURRENT, AWSPENDING and AWSPREVIOUS works, what that means, and the one safe step on. The secret's function logs in once
with each. The commands of that step are printed; --yes does them. AWSCURRENT is moved to no version that was not seen to work.

It takes secretsmanager:DescribeSecret and lambda:InvokeFunction; the steps take secretsmanager:RotateSecret, or UpdateSecretVersionStage; a
merge takes GetSecretValue and PutSecretValue too.` + directHelp,
		Example: `  rotor recover shop/payments
  rotor recover shop/payments --yes`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return recovering(cmd.Context(), t, c, o, args[0], yes) },
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do the step")
	o.flags(cmd)
	return cmd
}

func recovering(ctx context.Context, t *terminal, c *clouds, o direct, name string, yes bool) error {
	if err := o.check(); err != nil {
		return err
	}
	cloud, err := c.one(ctx)
	if err != nil {
		return err
	}
	d, err := describe(ctx, cloud, name)
	if err != nil {
		return err
	}
	if err := askable(cloud, d); err != nil {
		return err
	}
	t.progress("%s which version works", o.asks(name))
	who, err := o.asker(ctx, t, cloud, d)
	if err != nil {
		return err
	}
	target := operate.Target{Secrets: cloud.secrets, Asker: who, ARN: aws.ToString(d.ARN), Off: !aws.ToBool(d.RotationEnabled)}
	r, err := target.Which(ctx)
	if err != nil {
		return explained(err, "lambda:InvokeFunction")
	}
	printRecovery(t, r)
	switch r.Step {
	case operate.Nothing:
		return nil
	case operate.Untold:
		for _, l := range r.Labels {
			if hint := o.hint(l.Failure); hint != "" {
				return fmt.Errorf("it could not be told what works: %s", hint)
			}
		}
		return errors.New("it could not be told what works")
	case operate.Mend, operate.ByHand:
		return errAct
	}
	if !yes {
		for _, command := range target.Commands(r, cloud.options()) {
			fmt.Fprintf(t.out, "  %s\n", command)
		}
		fmt.Fprintf(t.out, "  or: rotor recover %s --yes%s\n", name, o.options()+cloud.options())
		return errAct
	}
	if err := target.Do(ctx, r); err != nil {
		return explained(err, "")
	}
	fmt.Fprintln(t.out, "Done.")
	if r.Step == operate.Rotate {
		fmt.Fprintf(t.out, "The rotation has begun: rotor status %s tells how it stands.\n", name)
	}
	return nil
}

func printRecovery(t *terminal, r operate.Recovery) {
	for _, l := range r.Labels {
		fmt.Fprintf(t.out, "%-12s %s  user %q: %s\n", indented(l.Name), indented(l.Version), l.User, indented(outcome(l)))
	}
	fmt.Fprintf(t.out, "%s\n", indented(r.Means))
	if f := r.Failure; f != nil {
		fmt.Fprintf(t.out, "%s: %s\nWhat to do: %s\n", indented(short(string(f.Class))), indented(f.Cause), indented(f.Remedy))
	}
	if does := sentences[r.Step]; does != "" {
		fmt.Fprintf(t.out, "The safe step: %s\n", does)
	}
}

func outcome(l rotation.Label) string {
	if l.Works {
		return "works"
	}
	return short(string(l.Failure.Class)) + ": " + l.Failure.Cause
}

// sentences say what the steps do.
var sentences = map[operate.Step]string{
	operate.Rotate: "rotate again; the function goes on where it was.",
	operate.Finish: "finish the rotation: make AWSPENDING's version AWSCURRENT.",
	operate.GiveUp: "give AWSPENDING up, and rotate anew when it suits.",
	operate.Merge:  "make a version of AWSCURRENT's fields and the password that works, see it log in, and make it AWSCURRENT.",
	operate.GoBack: "make AWSPREVIOUS's version AWSCURRENT again.",
}

// options are those of the AWS CLI, and of rotor, that say where.
func (c cloud) options() string {
	o := " --region " + c.region
	if c.profile != "" {
		o += " --profile " + c.profile
	}
	return o
}
