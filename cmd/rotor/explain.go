package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed492efc12/rotor/framework/rotation"
)

func explainCommand(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "explain [CLASS]",
		Short: "Say what a class of failures means to do, or list them all",
		Example: `  rotor explain FewerRights
  rotor explain Rotation.TLS`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: cobra.FixedCompletions(classes(), cobra.ShellCompDirectiveNoFileComp),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				for _, name := range classes() {
					fmt.Fprintf(t.out, "%-20s %s\n", name, rotation.Class(rotation.Prefix+name).Remedy())
				}
				return nil
			}
			name := strings.TrimPrefix(args[0], rotation.Prefix)
			at := slices.IndexFunc(classes(), func(known string) bool { return strings.EqualFold(known, name) })
			if at < 0 {
				return usageError{fmt.Errorf("there is no class %q: rotor explain lists them", args[0])}
			}
			fmt.Fprintln(t.out, rotation.Class(rotation.Prefix+classes()[at]).Remedy())
			return nil
		},
	}
}

// classes are the names of all classes, without their prefix.
func classes() (names []string) {
	for _, c := range slices.Sorted(maps.Keys(rotation.Classes())) {
		names = append(names, strings.TrimPrefix(string(c), rotation.Prefix))
	}
	return names
}
