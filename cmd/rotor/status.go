package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed492efc12/rotor/internal/fleet"
)

type statusOptions struct {
	output   string
	all, why bool
	patterns []string
}

func statusCommand(t *terminal, c *clouds) *cobra.Command {
	var o statusOptions
	cmd := &cobra.Command{
		Use:   "status [PATTERN...]",
		Short: "Show how secrets stand with their rotations, the worst first",
		Long: `Show how secrets stand with their rotations, the worst first. A pattern is a name or an ARN, or has * and ? as in a shell, where * stands
for slashes too; without one, all secrets are looked at. It takes secretsmanager:ListSecrets and lambda:ListFunctions, and reads no value.

--why reads the logs of Rotor's functions too, by one query of CloudWatch Logs Insights each, which AWS charges by the size of what is
read: why rotations fail and what to do, which trials failed, and when the servers' certificates end. It takes logs:StartQuery and
logs:GetQueryResults.`,
		Example: `  rotor status
  rotor status --why
  rotor status 'shop/*' --profile prod,stage --region eu-west-1,us-east-1
  rotor status --output html > fleet.html`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.patterns = args
			return status(cmd.Context(), t, c, o)
		},
	}
	cmd.Flags().StringVarP(&o.output, "output", "o", "table", "table, json, csv or html")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "json", "csv", "html"}, cobra.ShellCompDirectiveNoFileComp))
	cmd.Flags().BoolVar(&o.all, "all", false, "in the table, a row for each secret, also for those that are well")
	cmd.Flags().BoolVar(&o.why, "why", false, "read the functions' logs for causes, remedies, trials and certificates")
	return cmd
}

func status(ctx context.Context, t *terminal, c *clouds, o statusOptions) error {
	show, ok := outputs[o.output]
	if !ok {
		return usageError{fmt.Errorf("unknown output %q: table, json, csv or html", o.output)}
	}
	if err := fleet.CheckPatterns(o.patterns); err != nil {
		return usageError{err}
	}
	places, err := c.open(ctx)
	if err != nil {
		return err
	}
	r := &report{now: time.Now(), all: o.all || len(o.patterns) > 0, why: o.why}
	failed := r.read(ctx, t, places, o)
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case len(failed) == 1 && len(places) == 1:
		return errors.New(failed[0])
	case len(failed) == len(places):
		return fmt.Errorf("nothing could be looked at: %s", strings.Join(failed, "\n"))
	}
	for _, f := range failed {
		r.note(t, "not looked at: %s", f)
	}
	var unmatched []string
	if len(failed) == 0 {
		unmatched = fleet.Unmatched(o.patterns, r.secrets)
	}
	if err := show(t, *r); err != nil {
		return err
	}
	switch {
	case slices.ContainsFunc(r.secrets, func(s fleet.Secret) bool { return s.State.Bad() }):
		err = errAct
	case len(failed) > 0:
		err = fmt.Errorf("%d of %d places could not be looked at", len(failed), len(places))
	}
	if len(unmatched) > 0 {
		none := fmt.Errorf("no secret matches %s", strings.Join(unmatched, ", "))
		if err == nil {
			return none
		}
		t.progress("rotor: %v", none)
	}
	return err
}

// read looks at all places at once. Failed says of which that could not be done, and
// why.
func (r *report) read(ctx context.Context, t *terminal, places []cloud, o statusOptions) (failed []string) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	for _, p := range places {
		wg.Go(func() {
			found, err := fleet.Place{Profile: p.profile, Region: p.region, Secrets: p.secrets, Functions: p.functions}.List(ctx, o.patterns, r.now)
			var unread []error
			if err == nil && o.why {
				t.progress("%s: reading the functions' logs, by CloudWatch Logs Insights", p.where())
				unread = fleet.Explain(ctx, p.logs, found, r.now)
			}
			mu.Lock()
			defer mu.Unlock()
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				failed = append(failed, fmt.Sprintf("%s: %v", p.where(), explained(err, "")))
			}
			for _, err := range unread {
				r.note(t, "%s: %v", p.where(), explained(err, ""))
			}
			r.secrets = append(r.secrets, found...)
		})
	}
	wg.Wait()
	fleet.Sort(r.secrets)
	slices.Sort(failed)
	return failed
}

// note says what the report lacks, here and in the report itself.
func (r *report) note(t *terminal, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	r.notes = append(r.notes, text)
	t.progress("rotor: %s", text)
}
