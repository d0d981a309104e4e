// Command scale simulates the rotation of many secrets in one window: the real engine and strategies, over secrets and
// databases in memory, in virtual time, under the quotas of Secrets Manager and Lambda, with slow databases, databases
// that are down for a while, and functions that die. It prints the section of docs/benchmarks.md about that. Its status
// is other than 0 if a secret is lost or not rotated.
//
//	go run ./scripts/scale             10,000 secrets, and fewer beside them
//	go run ./scripts/scale -seed 7     the same with other misfortunes
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
)

func main() {
	seed := flag.Uint64("seed", 1, "what chance follows")
	flag.Parse()
	if err := run(*seed); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

func run(seed uint64) error {
	var page strings.Builder
	heading(&page)
	for _, c := range []config{
		{secrets: 1_000, perSecond: rotateQuota},
		{secrets: 5_000, perSecond: rotateQuota},
		{secrets: 10_000, perSecond: rotateQuota},
		{secrets: 10_000},
	} {
		c.seed = seed
		r, err := simulate(c)
		if err != nil {
			return fmt.Errorf("%d secrets: %w", c.secrets, err)
		}
		r.row(&page)
	}
	method(&page, seed)
	_, err := fmt.Print(page.String())
	return err
}
