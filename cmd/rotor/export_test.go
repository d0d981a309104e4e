package main

import (
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// Commands are all that rotor can be called with, such as "status" and "completion bash".
func Commands() (all []string) {
	root := newRoot(newTerminal(io.Discard, io.Discard))
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Runnable() && c != root {
			all = append(all, strings.TrimPrefix(c.CommandPath(), root.Name()+" "))
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root)
	return all
}
