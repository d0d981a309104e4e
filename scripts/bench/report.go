package main

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"
)

// The targets. Only those of counts and sizes are enforced.
const (
	targetStart  = 6 * time.Millisecond
	targetRatio  = 2.5 // of hello's start
	targetCPU    = 6 * time.Millisecond
	targetMemory = 20 << 20
	targetZip    = 7_000_000
)

func median(all []time.Duration) time.Duration { return quantile(all, 50) }

// quantile is the value that so many percent do not exceed.
func quantile(all []time.Duration, percent int) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[(len(sorted)*percent+99)/100-1]
}

func (r *results) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Benchmarks\n\n`make bench` measures and prints this page; `go run ./scripts/bench -o docs/benchmarks.md` rewrites it.\n\n")
	r.startTable(&b)
	r.rotationTable(&b)
	r.method(&b)
	return b.String()
}

func (r *results) startTable(b *strings.Builder) {
	fmt.Fprintf(b, "| function | start, median (p90) | of hello's | start, CPU | memory, started | bootstrap | zip |\n|---|--:|--:|--:|--:|--:|--:|\n")
	for _, f := range r.functions {
		fmt.Fprintf(b, "| %s | %s (%s) ms | %.1f x | %s ms | %s MiB | %s MB | %s MB |\n", f.name, ms(median(f.start)), ms(quantile(f.start, 90)),
			r.ratio(f), ms(median(f.cpu)), mib(f.memory), mb(f.size), mb(f.zip))
	}
	fmt.Fprintf(b, "| *target, at most* | %s ms | %.1f x | | | | %s MB |\n\n", ms(targetStart), targetRatio, mb(targetZip))
}

// ratio compares a function's start with hello's.
func (r *results) ratio(f *functionResult) float64 {
	return float64(median(f.start)) / float64(median(r.functions[0].start))
}

func (r *results) rotationTable(b *strings.Builder) {
	fmt.Fprintf(b, "| rotation | cold, wall (CPU) | warm, wall (CPU) | peak memory | calls | connections, cold / warm | logins (refused) |\n|---|--:|--:|--:|--:|--:|--:|\n")
	for _, n := range r.rotations {
		counts := "| - | - | - |"
		if n.want != nil {
			counts = fmt.Sprintf("| %d | %d / %d | %d (%d) |", n.calls, n.connections.cold, n.connections.warm, n.logins, n.refused)
		}
		fmt.Fprintf(b, "| %s | %s (%s) ms | %s (%s) ms | %s MiB %s\n", n.name, ms(median(n.cold.wall)), ms(median(n.cold.cpu)),
			ms(median(n.warm.wall)), ms(median(n.warm.cpu)), mib(n.memory), counts)
	}
	fmt.Fprintf(b, "| *target, at most* | | (%s) ms | %s MiB | %s | - / 0 | %s (0) |\n\n", ms(targetCPU), mib(targetMemory),
		perStrategy(func(s strategy) int { return s.calls }), perStrategy(func(s strategy) int { return s.logins }))
}

// perStrategy lists a target that differs by strategy, in the order of the rows.
func perStrategy(target func(strategy) int) string {
	var numbers []string
	for _, s := range strategies {
		numbers = append(numbers, fmt.Sprint(target(s)))
	}
	return strings.Join(numbers, ", ")
}

func (r *results) method(b *strings.Builder) {
	fmt.Fprintf(b, `## How it was measured

- Machine: %d cores, %s/%s, %s. Servers: %s.
- The functions are built as for a release (static, stripped) and run as processes of their own under a host of the
  Lambda Runtime API. Secrets Manager is the stand-in of local, over plain HTTP on the loopback interface; the
  database is on the same machine too, by verified TLS. So the network costs nothing here, and neither does TLS to
  Secrets Manager: on AWS both come on top.
- Medians of %d runs; p90 is the value that nine in ten do not exceed. Start: from the start of the process to its first
  request for an invocation, all functions in turn. Cold: a fresh process each time, its start and the four steps. Warm:
  the four steps in a process that has rotated before. CPU: user and system time of the function's process alone.
- Calls and connections are to Secrets Manager, logins to the database; of all runs the highest count is shown (net/http drops
  a connection now and then where a reply overtakes its request, which takes a busy machine and no network). Peak
  memory is the most that the process ever had in RAM. The zip holds the bootstrap alone, deflated; MB are 10^6 bytes,
  MiB 2^20.
- Times are of one machine at one time, and vary by a third or more on a busy one; the database and the stand-in work
  on the same cores. Compare ratios, and runs on the same machine. Calls, logins and sizes do not vary: the command fails
  if one of them misses its target, and never because of a time.
`, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), strings.Join(r.servers, ", "), r.runs)
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d.Microseconds())/1000) }
func mib(n int64) string        { return fmt.Sprintf("%.1f", float64(n)/(1<<20)) }
func mb(n int64) string         { return fmt.Sprintf("%.1f", float64(n)/1e6) }

// missed names the counts and sizes that miss their targets.
func (r *results) missed() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	for _, f := range r.functions {
		if f.zip > targetZip {
			fail("%s: the zip has %s MB, more than %s", f.name, mb(f.zip), mb(targetZip))
		}
	}
	for _, n := range r.rotations {
		if n.want == nil {
			continue
		}
		if n.calls > n.want.calls {
			fail("%s: %d calls, more than %d", n.name, n.calls, n.want.calls)
		}
		if n.logins > n.want.logins || n.refused > 0 {
			fail("%s: %d logins and %d refused, more than %d and 0", n.name, n.logins, n.refused, n.want.logins)
		}
	}
	return errors.Join(errs...)
}
