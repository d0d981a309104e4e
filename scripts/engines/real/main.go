// Command real prints the rotators of the engines that real servers are had of, as the
// go command takes packages.
package main

import (
	"fmt"

	"github.com/seed492efc12/rotor/scripts/engines"
)

func main() {
	for _, e := range engines.All() {
		if e.Evidence() != "imitation" {
			fmt.Printf("./rotators/%s/...\n", e.Name)
		}
	}
}
