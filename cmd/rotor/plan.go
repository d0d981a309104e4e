package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/spf13/cobra"

	"github.com/seed492efc12/rotor/framework/rotation"
)

func checkCommand(t *terminal, c *clouds) *cobra.Command {
	var o direct
	cmd := &cobra.Command{
		Use:   "check SECRET...",
		Short: "Try whether the next rotation would succeed; nothing is changed",
		Long: `Try whether the next rotation would succeed. The secret's function checks all that the rotation will need, and changes nothing. It takes
secretsmanager:DescribeSecret, and lambda:InvokeFunction on the function.` + directHelp,
		Example: `  rotor check shop/orders shop/users`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return asking(cmd.Context(), t, c, o, args, func(name string, a rotation.Answer) error {
				printNotes(t, name, a.Notes)
				if a.Failure != nil {
					tell(t, name, a.Failure)
					return errAct
				}
				fmt.Fprintf(t.out, "%s: the next rotation will succeed, as far as can be known %s\n", name, o.known())
				return nil
			})
		},
	}
	o.flags(cmd)
	return cmd
}

func planCommand(t *terminal, c *clouds) *cobra.Command {
	var output string
	var o direct
	cmd := &cobra.Command{
		Use:   "plan SECRET...",
		Short: "Show what the next rotation would send to the database",
		Long: `Show what the next rotation would send to the database, in order, without passwords, and which rights the user whose turn it is gains and
loses. The function goes the whole way of setSecret and holds back what would change something. It takes secretsmanager:DescribeSecret, and
lambda:InvokeFunction on the function.

With --function it is the plan of a function that does not rotate the secret yet, such as one to migrate to.` + directHelp,
		Example: `  rotor plan shop/orders
  rotor plan shop/orders --output json
  rotor plan shop/orders --direct --function rotor-postgres-single-user`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if output != "text" && output != "json" {
				return usageError{fmt.Errorf("unknown output %q: text or json", output)}
			}
			return asking(cmd.Context(), t, c, o, args, func(name string, a rotation.Answer) error {
				if output == "json" {
					e := json.NewEncoder(t.out)
					e.SetEscapeHTML(false)
					if err := e.Encode(a); err != nil {
						return err
					}
				} else {
					printPlan(t, name, a)
				}
				if a.Failure != nil {
					return errAct
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
	o.flags(cmd)
	cmd.Flags().StringVar(&o.function, "function", "", "name or ARN of a `FUNCTION` of Rotor's that is to rotate the secrets; with --direct")
	return cmd
}

func printPlan(t *terminal, name string, a rotation.Answer) {
	if a.Failure != nil {
		tell(t, name, a.Failure)
		return
	}
	fmt.Fprintf(t.out, "%s: the next password is for %q. Sent would be:\n", name, a.Plan.User)
	for _, s := range a.Plan.Statements {
		fmt.Fprintf(t.out, "  %s\n", indented(s))
	}
	for _, l := range []struct {
		what  string
		lines []string
	}{{"It gains", a.Plan.Gains}, {"It loses", a.Plan.Loses}} {
		if len(l.lines) > 0 {
			fmt.Fprintf(t.out, "%s:\n  %s\n", l.what, indented(strings.Join(l.lines, "\n")))
		}
	}
	for _, n := range a.Notes {
		fmt.Fprintf(t.out, "Note: %s\n", indented(n.Text))
	}
}

// tell says why a rotation fails, and what to do.
func tell(t *terminal, name string, f *rotation.Failure) {
	fmt.Fprintf(t.out, "%s: %s: %s\n  What to do: %s\n", name, indented(short(string(f.Class))), indented(f.Cause), indented(f.Remedy))
}

func printNotes(t *terminal, name string, notes []rotation.Note) {
	for _, n := range notes {
		fmt.Fprintf(t.out, "%s: note: %s\n", name, indented(n.Text))
	}
}

// asking puts the question for a plan, of some secrets one after the other, and shows
// each answer. It goes on after a failure.
func asking(ctx context.Context, t *terminal, c *clouds, o direct, secrets []string, show func(name string, a rotation.Answer) error) error {
	if err := o.check(); err != nil {
		return err
	}
	cloud, err := c.one(ctx)
	if err != nil {
		return err
	}
	var result error // the worst: somebody must act
	for _, s := range secrets {
		if ctx.Err() != nil {
			return errInterrupted
		}
		t.progress("%s", o.asks(s))
		a, err := o.ask(ctx, t, cloud, s)
		if err != nil {
			t.progress("rotor: %s: %v", s, err)
			err = errTold
		} else {
			err = o.told(t, s, a.Failure, show(s, a))
		}
		result = worse(result, err)
	}
	return result
}

// worse is how a command ends that ended so and so for two secrets.
func worse(a, b error) error {
	if a == nil || errors.Is(b, errAct) {
		return b
	}
	return a
}

// ask asks for the plan of a secret.
func (o direct) ask(ctx context.Context, t *terminal, c cloud, secret string) (rotation.Answer, error) {
	d, err := describe(ctx, c, secret)
	if err != nil {
		return rotation.Answer{}, err
	}
	if err := askable(c, d); err != nil {
		return rotation.Answer{}, err
	}
	who, err := o.asker(ctx, t, c, d)
	if err != nil {
		return rotation.Answer{}, err
	}
	a, err := who.Ask(ctx, rotation.AskPlan, aws.ToString(d.ARN), "")
	return a, explained(err, "lambda:InvokeFunction")
}

// askable says why no function can be asked about a secret, and what to do.
func askable(c cloud, d *secretsmanager.DescribeSecretOutput) error {
	primary, owner := aws.ToString(d.PrimaryRegion), aws.ToString(d.OwningService)
	switch {
	case d.DeletedDate != nil:
		return fmt.Errorf("it is scheduled for deletion, and nobody can read it. To have it back: aws secretsmanager restore-secret --secret-id %s%s", aws.ToString(d.ARN), c.options())
	case primary != "" && primary != c.region:
		return fmt.Errorf("it is a replica, and rotated where its primary is: ask there, with%s", cloud{profile: c.profile, region: primary}.options())
	case owner != "" && d.RotationLambdaARN == nil:
		return fmt.Errorf("it belongs to the service %s, which rotates it", owner)
	}
	return nil
}
