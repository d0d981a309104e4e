package main

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"
)

// A result is what a simulation came to.
type result struct {
	*simulation
	most, last time.Duration // when 99 % of the rotations were done, and when all
	took       time.Duration // of processors, all together
	extra      uint64        // the most bytes beyond what the secrets and servers take
}

func (s *simulation) result(took time.Duration) *result {
	var done []time.Duration
	for _, r := range s.all {
		done = append(done, r.done)
	}
	slices.Sort(done)
	r := &result{simulation: s, most: done[len(done)*99/100], last: done[len(done)-1], took: took}
	for _, x := range s.samples {
		// The secrets grow from begun to ended, by a version each.
		stored := float64(s.before) + (float64(s.after)-float64(s.before))*float64(x.rotated)/float64(s.secrets)
		if beyond := float64(x.bytes) - stored; beyond > float64(r.extra) {
			r.extra = uint64(beyond)
		}
	}
	return r
}

// bound is the least time in which the quota lets all values and labels be written.
func (r *result) bound() time.Duration {
	return time.Duration(2*r.secrets-writeQuota) * time.Second / writeQuota
}

func heading(b *strings.Builder) {
	fmt.Fprintf(b, `
## Many secrets in one window

| secrets | they begin | the quota's own limit | 99 %% rotated after | all after | calls a rotation | throttled calls | failed attempts | processes that died | invocations at one time | memory in flight | CPU | lost |
|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|
`)
}

func (r *result) row(b *strings.Builder) {
	begin := "all at once"
	if r.perSecond > 0 {
		begin = fmt.Sprintf("%d a second", r.perSecond)
	}
	fmt.Fprintf(b, "| %d | %s | %s s | %s s | %s s | %.1f | %d | %d | %d | %d | %.1f MiB | %.1f s | 0 |\n", r.secrets, begin, seconds(r.bound()), seconds(r.most), seconds(r.last),
		float64(r.store.calls)/float64(r.secrets), r.store.throttled, r.failures, r.crashes, r.busiest, float64(r.extra)/(1<<20), r.took.Seconds())
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.0f", d.Seconds()) }

func method(b *strings.Builder, seed uint64) {
	fmt.Fprintf(b, `
- This is a simulation: `+"`go run ./scripts/scale`"+`. The engine and the strategies, a third of the secrets each, are the real
  ones; Secrets Manager and the databases are in memory, and time is virtual. What is drawn by lot follows the seed (%d):
  but for CPU and memory each run prints the same.
- Quotas: %d calls a second of PutSecretValue and UpdateSecretVersionStage together, of which each rotation makes two;
  RotateSecret %d, reads %d; %d invocations at one time; functions time out after %v. A quota that was not used is kept for
  one second.
- Secrets Manager begins a failed rotation anew after half a minute to one and a half. It does not say when; the last
  rotation to end is one that failed, so that "all after" depends on it.
- Perils: %.1f %% of the calls that have an effect kill the process before it, and as many after it. %d secrets share a server.
  %.0f %% of the servers are a hundred times slower than the others, %.0f %% refuse connections for two minutes, %.0f %% do not answer for two minutes.
- Lost: secrets whose AWSCURRENT (with a single user: and AWSPENDING) did not work after a failed attempt or in the end.
- Memory in flight: the most in use at any time beyond the secrets and users themselves, of all invocations together. %s.
`, seed, writeQuota, rotateQuota, readQuota, concurrency, timeout, 100*usual.crash, perServer, 100*usual.slow, 100*usual.down, 100*usual.hung, runtime.Version())
}
