package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed492efc12/rotor/internal/fleet"
)

type statusOptions struct {
	output string
	all    bool
}

func statusCommand(t *terminal, c *clouds) *cobra.Command {
	var o statusOptions
	cmd := &cobra.Command{
		Use:   "status [PATTERN...]",
		Short: "Show how secrets stand with their rotations, the worst first",
		Long: `Show how secrets stand with their rotations, the worst first. A pattern is a name, or has * and ? as in a shell; without one, all
secrets are looked at. It takes secretsmanager:ListSecrets and lambda:ListFunctions, and reads no value.`,
		Example: `  rotor status
  rotor status 'shop/*' --profile prod,stage --region eu-west-1,us-east-1
  rotor status --output html > fleet.html`,
		RunE: func(cmd *cobra.Command, args []string) error { return status(cmd.Context(), t, c, o, args) },
	}
	cmd.Flags().StringVarP(&o.output, "output", "o", "table", "table, json, csv or html")
	cmd.Flags().BoolVar(&o.all, "all", false, "in the table, a row for each secret, also for those that are well")
	return cmd
}

func status(ctx context.Context, t *terminal, c *clouds, o statusOptions, patterns []string) error {
	show, ok := outputs[o.output]
	if !ok {
		return usageError{fmt.Errorf("unknown output %q: table, json, csv or html", o.output)}
	}
	all, failed, err := read(ctx, t, c, patterns)
	if err != nil {
		return err
	}
	if err := show(t, report{all, failed, time.Now(), o.all || len(patterns) > 0}); err != nil {
		return err
	}
	for _, s := range all {
		if s.State.Bad() {
			return errAct
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("%d of the places could not be looked at", len(failed))
	}
	return nil
}

// read lists all places at once. Failed says of which that could not be done, and
// why; if it is all of them, that is an error.
func read(ctx context.Context, t *terminal, c *clouds, patterns []string) (all []fleet.Secret, failed []string, err error) {
	places, err := c.open(ctx)
	if err != nil {
		return nil, nil, err
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	now := time.Now()
	for _, p := range places {
		wg.Go(func() {
			found, err := fleet.Place{Profile: p.profile, Region: p.region, Secrets: p.secrets, Functions: p.functions}.List(ctx, patterns, now)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = append(failed, fmt.Sprintf("%s: %v", p.where(), explained(err, "secretsmanager:ListSecrets")))
			}
			all = append(all, found...)
		})
	}
	wg.Wait()
	for _, f := range failed {
		t.progress("rotor: %s", f)
	}
	if len(failed) == len(places) {
		return nil, failed, fmt.Errorf("nothing could be looked at: %s", strings.Join(failed, "; "))
	}
	fleet.Sort(all)
	return all, failed, nil
}
