package main

import (
	"context"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/spf13/cobra"
)

// scripts write what a shell needs for completion.
var scripts = map[string]func(root *cobra.Command, to io.Writer) error{
	"bash":       func(root *cobra.Command, to io.Writer) error { return root.GenBashCompletionV2(to, true) },
	"zsh":        (*cobra.Command).GenZshCompletion,
	"fish":       func(root *cobra.Command, to io.Writer) error { return root.GenFishCompletion(to, true) },
	"powershell": (*cobra.Command).GenPowerShellCompletionWithDesc,
}

// completionCommand stands in the place of cobra's own, which takes any word for a
// shell.
func completionCommand(t *terminal) *cobra.Command {
	shells := slices.Sorted(maps.Keys(scripts))
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print the script that makes a shell complete command lines",
		Long: `Print the script that makes a shell (bash, zsh, fish or powershell) complete commands, options and the names of secrets. The names
are asked of AWS when you press the tab key. That takes secretsmanager:ListSecrets; without it no name is offered.`,
		Example: `  source <(rotor completion bash)
  rotor completion bash > ~/.local/share/bash-completion/completions/rotor
  rotor completion zsh > ~/.zfunc/_rotor
  rotor completion fish > ~/.config/fish/completions/rotor.fish
  rotor completion powershell | Out-String | Invoke-Expression`,
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: shells,
		RunE:      func(cmd *cobra.Command, args []string) error { return scripts[args[0]](cmd.Root(), t.out) },
	}
}

// patienceAtTab is how long somebody who has pressed the tab key waits for AWS.
const patienceAtTab = 2 * time.Second

// secretNames completes the names of secrets, of at most a hundred in each place. If
// AWS cannot be asked, there are none, and nothing is said.
func secretNames(c *clouds) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, begun string) (names []string, _ cobra.ShellCompDirective) {
		const none = cobra.ShellCompDirectiveNoFileComp
		if cmd.Args(cmd, append(slices.Clone(args), begun)) != nil {
			return nil, none // the command takes no more
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), patienceAtTab)
		defer cancel()
		places, err := c.open(ctx)
		if err != nil {
			return nil, none
		}
		in := &secretsmanager.ListSecretsInput{MaxResults: aws.Int32(100)}
		if begun != "" {
			in.Filters = []types.Filter{{Key: types.FilterNameStringTypeName, Values: []string{begun}}}
		}
		for _, p := range places {
			out, err := p.secrets.ListSecrets(ctx, in)
			if err != nil {
				continue
			}
			for _, e := range out.SecretList {
				names = append(names, aws.ToString(e.Name))
			}
		}
		slices.Sort(names)
		return slices.DeleteFunc(slices.Compact(names), func(name string) bool { return slices.Contains(args, name) }), none
	}
}
