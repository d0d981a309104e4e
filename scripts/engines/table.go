package engines

import (
	"fmt"
	"strings"
)

// Evidence is "real" where the tests run on real servers of each of the engine's
// products, "imitation" where they run on none, else "real and imitation".
func (e Engine) Evidence() string {
	real := 0
	for _, p := range e.Products {
		if len(p.Real()) > 0 {
			real++
		}
	}
	switch real {
	case 0:
		return "imitation"
	case len(e.Products):
		return "real"
	}
	return "real and imitation"
}

// versions lists products with the versions, or whatever text says of each.
func (e Engine) versions(text func(Product) (versions string, any bool)) string {
	var said []string
	for _, p := range e.Products {
		if versions, any := text(p); any {
			said = append(said, strings.TrimSpace(p.Title+" "+versions))
		}
	}
	if len(said) == 0 {
		return "-"
	}
	return strings.Join(said, "; ")
}

// Table is the table of engines in README.md.
func Table() string {
	var b strings.Builder
	b.WriteString("| engine in the secret | function | evidence | real servers | imitations |\n|---|---|---|---|---|\n")
	for _, e := range All() {
		fmt.Fprintf(&b, "| `%s` | functions/%s | %s | %s | %s |\n", strings.Join(e.Driver.Engines, "`, `"), e.Name, e.Evidence(),
			e.versions(func(p Product) (string, bool) { return strings.Join(p.Real(), ", "), len(p.Real()) > 0 }),
			e.versions(func(p Product) (string, bool) { return p.Imitation, p.Imitated }))
	}
	return b.String()
}
