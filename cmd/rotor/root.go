package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed492efc12/rotor/framework/serve"
)

func newRoot(t *terminal) *cobra.Command {
	c := &clouds{}
	root := &cobra.Command{
		Use:   "rotor",
		Short: "See, try, plan, start and mend rotations of secrets",
		Long: `rotor shows how the secrets of AWS Secrets Manager stand with their rotations, and gets stuck ones going.

Whatever touches a database is asked of the secret's own rotation function, which is where the network lets it; check, plan and
recover ask from here with --direct. No command shows, logs or writes a password; none touches more than one secret without --yes.

It ends with status 0 if all is well, 1 if it could not tell, 2 if somebody must act, 64 if the command line is wrong.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       serve.Version,
		Args:          noCommand,
		RunE:          func(root *cobra.Command, _ []string) error { return root.Help() },
	}
	root.PersistentFlags().StringSliceVar(&c.profiles, "profile", nil, "profiles of the AWS configuration to look in, with commas between them (default: the usual one)")
	root.PersistentFlags().StringSliceVar(&c.regions, "region", nil, "regions to look in, with commas between them (default: the profile's)")
	root.SetVersionTemplate("rotor {{.Version}}\n")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	ofSecrets := []*cobra.Command{
		statusCommand(t, c),
		checkCommand(t, c),
		planCommand(t, c),
		rotateCommand(t, c),
		recoverCommand(t, c),
		migrateCommand(t, c),
	}
	for _, sub := range ofSecrets {
		sub.ValidArgsFunction = secretNames(c)
	}
	root.AddCommand(ofSecrets...)
	root.AddCommand(explainCommand(t), completionCommand(t), versionCommand(t))
	for _, sub := range root.Commands() {
		sub.Args = asUsage(sub.Args)
		sub.Long = filled(sub.Long)
	}
	root.Long = filled(root.Long)
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), ".FlagUsages", fmt.Sprintf(".FlagUsagesWrapped %d", helpWidth)))
	return root
}

// helpWidth is how many columns --help takes: those of the usual terminal.
const helpWidth = 80

// filled breaks the lines of paragraphs anew. Indented ones stay as they are.
func filled(long string) string {
	paragraphs := strings.Split(long, "\n\n")
	for i, p := range paragraphs {
		if strings.HasPrefix(p, " ") {
			continue
		}
		line := ""
		paragraphs[i] = ""
		for word := range strings.FieldsSeq(p) {
			if line != "" && len(line)+1+len(word) > helpWidth {
				paragraphs[i] += line + "\n"
				line = ""
			}
			line = strings.TrimPrefix(line+" "+word, " ")
		}
		paragraphs[i] += line
	}
	return strings.Join(paragraphs, "\n\n")
}

// noCommand refuses what is left on the command line where no command was found.
func noCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	root.SuggestionsMinimumDistance = 2
	if near := root.SuggestionsFor(args[0]); len(near) > 0 {
		return usageError{fmt.Errorf("unknown command %q: is it %s?", args[0], strings.Join(near, " or "))}
	}
	return usageError{fmt.Errorf("unknown command %q", args[0])}
}

// asUsage makes what a command says of its arguments an error of usage.
func asUsage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if check == nil {
			return nil
		}
		if check(c, args) != nil {
			return usageError{fmt.Errorf("%s takes other arguments: %s", c.Name(), c.UseLine())}
		}
		return nil
	}
}

func versionCommand(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			fmt.Fprintf(t.out, "rotor %s\n", serve.Version)
			return nil
		},
	}
}
