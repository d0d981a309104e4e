package servertest

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/seed492efc12/rotor/internal/install"
)

// Installed are the sources of a product's real servers, the oldest first: each
// that the table of package install names, or those of them that
// ROTOR_TEST_SERVERS names, such as "mysql-9.7,postgres" (a product is all of
// its servers; "newest" is the last of each, "ends" the first and the last of
// each). What is not on this machine has no Start.
func Installed[S Tested](product string, start func(install.Server) (S, error)) []Source[S] {
	var sources []Source[S]
	for _, name := range install.Wanted(product) {
		if !chosen(product, name) {
			continue
		}
		title := install.Title(name)
		s := Source[S]{Name: strings.ReplaceAll(title, " ", ""), Missing: title}
		if found, ok := install.Find(name); ok {
			s.Start = func() (S, error) { return start(found) }
		}
		sources = append(sources, s)
	}
	return sources
}

// chosen says whether the tests are to run on a server. It panics if
// ROTOR_TEST_SERVERS names none that there is: nothing would be tested.
func chosen(product, name string) bool {
	fields := strings.FieldsFunc(os.Getenv("ROTOR_TEST_SERVERS"), func(r rune) bool { return r == ',' || r == ' ' })
	is := len(fields) == 0
	for _, field := range fields {
		switch field {
		case newest:
			is = is || IsNewest(name)
		case ends:
			is = is || IsNewest(name) || name == install.Wanted(product)[0]
		default:
			product, _, _ := strings.Cut(field, "-")
			if all := install.Wanted(product); field != product && !slices.Contains(all, field) || len(all) == 0 {
				panic(fmt.Sprintf("ROTOR_TEST_SERVERS: there is no server %q", field))
			}
			is = is || field == name || strings.HasPrefix(name, field+"-")
		}
	}
	return is
}

// Words of ROTOR_TEST_SERVERS: the newest server of each product, and the oldest with the newest.
const (
	newest = "newest"
	ends   = "ends"
)

// IsNewest says whether a server is the newest of its product in the table.
func IsNewest(name string) bool {
	product, _, _ := strings.Cut(name, "-")
	all := install.Wanted(product)
	return len(all) > 0 && name == all[len(all)-1]
}

// Newest is the last of the sources that is there.
func Newest[S Tested](sources []Source[S]) (last Source[S], ok bool) {
	for _, s := range sources {
		if s.Start != nil {
			last, ok = s, true
		}
	}
	return last, ok
}
