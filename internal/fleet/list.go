package fleet

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// A Place is an account and region, as one set of credentials sees it.
type Place struct {
	Profile, Region string
	Secrets         secretsmanager.ListSecretsAPIClient
	Functions       lambda.ListFunctionsAPIClient
}

// List reads the secrets of a place whose names match one of the patterns, or all
// if there are none, the worst first. It makes one call for each hundred secrets
// and one for each fifty functions; those at once.
func (p Place) List(ctx context.Context, patterns []string, now time.Time) ([]Secret, error) {
	all, unread, err := p.Look(ctx, patterns, now)
	if err = cmp.Or(err, unread); err != nil {
		return nil, err
	}
	return all, nil
}

// Look is List for those who make do with the secrets where the functions cannot be
// listed: unread then says why, no function is known, and none is said to be gone.
func (p Place) Look(ctx context.Context, patterns []string, now time.Time) (all []Secret, unread, err error) {
	var functions Functions
	var wg sync.WaitGroup
	wg.Go(func() { functions, unread = p.functions(ctx) })
	entries, err := p.entries(ctx, patterns)
	if wg.Wait(); err != nil {
		return nil, nil, fmt.Errorf("listing the secrets: %w", err)
	}
	if unread != nil {
		unread = fmt.Errorf("listing the functions: %w", unread)
	}
	for _, e := range entries {
		s := Of(e, functions, now)
		s.Profile, s.Region = p.Profile, cmp.Or(p.Region, s.Region)
		all = append(all, s)
	}
	Sort(all)
	return all, unread, nil
}

// entries are what ListSecrets says of the secrets that match.
func (p Place) entries(ctx context.Context, patterns []string) (all []types.SecretListEntry, err error) {
	pages := secretsmanager.NewListSecretsPaginator(p.Secrets, &secretsmanager.ListSecretsInput{MaxResults: aws.Int32(100)})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, e := range out.SecretList {
			if matches(patterns, aws.ToString(e.Name), aws.ToString(e.ARN)) {
				all = append(all, e)
			}
		}
	}
	return all, nil
}

// Sort puts the worst first, and what is alike side by side.
func Sort(all []Secret) {
	worst := States()
	slices.SortFunc(all, func(a, b Secret) int {
		return cmp.Or(cmp.Compare(slices.Index(worst, a.State), slices.Index(worst, b.State)),
			cmp.Compare(a.Profile, b.Profile), cmp.Compare(a.Region, b.Region), cmp.Compare(a.Name, b.Name))
	})
}

func (p Place) functions(ctx context.Context) (Functions, error) {
	all := Functions{}
	pages := lambda.NewListFunctionsPaginator(p.Functions, &lambda.ListFunctionsInput{MaxItems: aws.Int32(50)})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, c := range out.Functions {
			f := FunctionOf(c)
			all[f.ARN] = f
		}
	}
	return all, nil
}

// CheckPatterns says which of the patterns is none.
func CheckPatterns(patterns []string) error {
	for _, p := range patterns {
		if _, err := path.Match(p, ""); err != nil {
			return fmt.Errorf("the pattern %q: %w", p, err)
		}
	}
	return nil
}

// Unmatched are the patterns that none of the secrets matches.
func Unmatched(patterns []string, all []Secret) []string {
	return slices.DeleteFunc(slices.Clone(patterns), func(p string) bool {
		return slices.ContainsFunc(all, func(s Secret) bool { return matches([]string{p}, s.Name, s.ARN) })
	})
}

// matches reports whether a secret's name or ARN is one of the patterns, or its name
// matches one as a shell's: * stands for anything, slashes too.
func matches(patterns []string, name, arn string) bool {
	if len(patterns) == 0 {
		return true
	}
	flat := strings.NewReplacer("/", "\x00")
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(flat.Replace(p), flat.Replace(name))
		return p == name || p == arn || ok && err == nil
	})
}
