package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/spf13/cobra"

	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/internal/fleet"
)

type rotateOptions struct {
	most int
	wait time.Duration
	yes  bool
}

func rotateCommand(t *terminal, c *clouds) *cobra.Command {
	var o rotateOptions
	cmd := &cobra.Command{
		Use:   "rotate SECRET...",
		Short: "Start rotations, and wait until they have ended",
		Long: `Start rotations, and wait until they have ended: at most --max at once. After the first that fails no other is started, and its function is
asked why. A pattern, or more than one secret, needs --yes. It takes secretsmanager:RotateSecret and DescribeSecret (and ListSecrets for
patterns), and lambda:InvokeFunction to say why one failed.`,
		Example: `  rotor rotate shop/orders
  rotor rotate 'shop/*' --yes --max 2`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.most < 1 {
				return usageError{errors.New("--max is 1 or more")}
			}
			return rotate(cmd.Context(), t, c, o, args)
		},
	}
	cmd.Flags().IntVar(&o.most, "max", 5, "how many at once")
	cmd.Flags().DurationVar(&o.wait, "wait", 3*time.Minute, "how long to wait for each")
	cmd.Flags().BoolVar(&o.yes, "yes", false, "rotate all that the patterns name")
	return cmd
}

func rotate(ctx context.Context, t *terminal, c *clouds, o rotateOptions, args []string) error {
	cloud, err := c.one(ctx)
	if err != nil {
		return err
	}
	names, err := chosen(ctx, cloud, args)
	if err != nil {
		return err
	}
	if len(names) > 1 && !o.yes {
		fmt.Fprintf(t.out, "These would be rotated:\n  %s\n", strings.Join(names, "\n  "))
		return usageError{fmt.Errorf("%d secrets: --yes rotates them", len(names))}
	}
	var mu sync.Mutex
	var failed error
	var wg sync.WaitGroup
	turns := make(chan struct{}, o.most)
	for _, name := range names {
		turns <- struct{}{}
		mu.Lock()
		stop := failed != nil
		mu.Unlock()
		if stop {
			break
		}
		wg.Go(func() {
			defer func() { <-turns }()
			err := rotateOne(ctx, t, cloud, name, o.wait)
			if err != nil && !errors.Is(err, errAct) {
				t.progress("rotor: %v", err)
				err = errTold
			}
			mu.Lock()
			defer mu.Unlock()
			failed = worse(failed, err)
		})
	}
	wg.Wait()
	return failed
}

// chosen are the names of secrets: those that are named, and those that match.
func chosen(ctx context.Context, c cloud, args []string) ([]string, error) {
	if !slices.ContainsFunc(args, func(a string) bool { return strings.ContainsAny(a, "*?[") }) {
		return args, nil
	}
	all, err := fleet.Place{Region: c.region, Secrets: c.secrets, Functions: c.functions}.List(ctx, args, time.Now())
	if err != nil {
		return nil, explained(err, "")
	}
	var names []string
	for _, s := range all {
		if s.Function.ARN != "" {
			names = append(names, s.Name)
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no secret with a rotation matches %s in %s", strings.Join(args, ", "), c.where())
	}
	return names, nil
}

// rotateOne starts one rotation and waits. It shows how it ended.
func rotateOne(ctx context.Context, t *terminal, c cloud, name string, wait time.Duration) error {
	started := time.Now()
	before, err := describe(ctx, c, name)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	t.progress("%s: rotating", name)
	out, err := c.secrets.RotateSecret(ctx, &secretsmanager.RotateSecretInput{SecretId: &name})
	version := ""
	switch {
	case err == nil:
		version = aws.ToString(out.VersionId)
	case strings.Contains(err.Error(), "will be reattempted"):
		t.progress("%s: a rotation had begun before, and goes on", name)
		version = labelled(before.VersionIdsToStages, rotation.Pending)
	default:
		return fmt.Errorf("%s: %w", name, explained(err, "secretsmanager:RotateSecret"))
	}
	done, err := awaited(ctx, c, name, version, started.Add(wait))
	switch {
	case done:
		fmt.Fprintf(t.out, "%s: rotated in %.1f s; AWSCURRENT is version %s\n", name, time.Since(started).Seconds(), version)
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w; the rotation goes on by itself: rotor status %s tells how it stands", name, errInterrupted, name)
	case err != nil:
		return fmt.Errorf("%s: %w", name, err)
	}
	a, err := direct{}.ask(ctx, t, c, name)
	if err != nil {
		return fmt.Errorf("%s: not rotated after %v, and why could not be told: %w", name, wait, err)
	}
	if a.Failure == nil {
		fmt.Fprintf(t.out, "%s: not rotated after %v. Nothing stands in its way by now: it may still be under way, or Secrets Manager may not be allowed to call the function\n", name, wait)
		return errAct
	}
	tell(t, name, a.Failure)
	return errAct
}

// awaited waits until a version is AWSCURRENT. Done is false if that takes too long.
func awaited(ctx context.Context, c cloud, name, version string, until time.Time) (done bool, err error) {
	for pause := 200 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		d, err := describe(ctx, c, name)
		if err != nil {
			return false, err
		}
		if slices.Contains(d.VersionIdsToStages[version], rotation.Current) {
			return true, nil
		}
		if time.Now().After(until) {
			return false, nil
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(pause):
		}
	}
}

func labelled(stages map[string][]string, label string) string {
	for version, labels := range stages {
		if slices.Contains(labels, label) {
			return version
		}
	}
	return ""
}
