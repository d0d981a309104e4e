package install

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Each product has servers, and each server is of a product: they stand together, the oldest first.
func TestTheTableHasServersOfEachProduct(t *testing.T) {
	var order []string
	for at, name := range Names() {
		product := productOf(name)
		if _, ok := products[product]; !ok {
			t.Errorf("%s: product.go has no %q: say its title, its main program, and how that says its version", name, product)
		}
		if slices.Contains(order, product) && order[len(order)-1] != product {
			t.Errorf("%s is not beside the others of its product", name)
		}
		if !slices.Contains(order, product) {
			order = append(order, product)
		} else if !older(seriesOf(Names()[at-1]), seriesOf(name)) {
			t.Errorf("%s comes before %s", Names()[at-1], name)
		}
	}
	for product := range products {
		if len(Wanted(product)) == 0 {
			t.Errorf("table.go has no server of %s: add one, such as {%q, onLinux(debian{suite: %q, packages: []string{%q}})}", product, product+"-1.0", "trixie", product+"-server")
		}
	}
	if got := Wanted("mysql"); !slices.Equal(got, []string{"mysql-8.0", "mysql-9.7"}) {
		t.Errorf("Wanted(mysql) = %v", got)
	}
	if got := Wanted("oracle"); len(got) != 0 {
		t.Errorf("Wanted(oracle) = %v", got)
	}
}

// older compares series number by number.
func older(a, b string) bool {
	numbers := func(series string) (all []int) {
		for part := range strings.SplitSeq(series, ".") {
			n, _ := strconv.Atoi(part)
			all = append(all, n)
		}
		return all
	}
	return slices.Compare(numbers(a), numbers(b)) < 0
}

func TestTheTableSaysForEachPlatformWhatThereIs(t *testing.T) {
	for _, r := range table {
		if _, ok := products[productOf(r.name)]; !ok {
			continue // the test above says so
		}
		var want []string
		switch {
		case productOf(r.name) == "postgres":
			want = []string{"darwin/amd64", "darwin/arm64", "linux/amd64", "linux/arm64"}
		case r.name == "mariadb-11.4":
			want = []string{"linux/amd64"}
		default:
			want = []string{"linux/amd64", "linux/arm64"}
		}
		var got []string
		for p, s := range r.sources {
			got = append(got, p)
			checkSource(t, r.name+" for "+p, s)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s is for %v, want %v", r.name, got, want)
		}
	}
}

// checkSource checks that nothing is fetched without a sum or a signature, and that the version is one of the name's series.
func checkSource(t *testing.T, where string, s source) {
	t.Helper()
	sum := regexp.MustCompile(`^[0-9a-f]{64}$`)
	switch s := s.(type) {
	case both:
		checkSource(t, where, s[0])
		checkSource(t, where, s[1])
	case embedded:
		name, _, _ := strings.Cut(where, " ")
		if !sum.MatchString(s.sum) || !isOf(s.version, seriesOf(name)) {
			t.Errorf("%s: %+v", where, s)
		}
	case maven:
		if !sum.MatchString(s.sum) || len(strings.Split(s.artifact, ":")) < 4 {
			t.Errorf("%s: %s, SHA-256 %q", where, s.artifact, s.sum)
		}
	case wheel:
		if !sum.MatchString(s.sum) || !strings.Contains(s.requirement, "==") {
			t.Errorf("%s: %s, SHA-256 %q", where, s.requirement, s.sum)
		}
	case debian:
		if s.suite == "" || len(s.packages) == 0 {
			t.Errorf("%s: %+v", where, s)
		}
	default:
		t.Errorf("%s: a source of type %T", where, s)
	}
}

func TestVersionsOfAProductAreInOrder(t *testing.T) {
	for product := range products {
		names := Wanted(product)
		if !slices.IsSortedFunc(names, func(a, b string) int { return slices.Compare(numbers(t, a), numbers(t, b)) }) {
			t.Errorf("%v", names)
		}
	}
}

func numbers(t *testing.T, name string) []int {
	var all []int
	for _, digits := range strings.Split(seriesOf(name), ".") {
		n, err := strconv.Atoi(digits)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, n)
	}
	return all
}

func TestEachServersVersionLineIsUnderstood(t *testing.T) {
	for _, test := range []struct{ product, line, want string }{
		{"postgres", "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", "15.18"},
		{"postgres", "postgres (PostgreSQL) 18.4", "18.4"},
		{"mysql", "/usr/sbin/mysqld  Ver 9.7.4-2 for Linux on x86_64 ((Debian))", "9.7.4"},
		{"mysql", "bin/mysqld  Ver 8.0.33 for Linux on x86_64 (MySQL Community Server - GPL)", "8.0.33"},
		{"mysql", "mysqld  Ver 8.0.36-0ubuntu0.22.04.1 for Linux on x86_64 ((Ubuntu))", "8.0.36"},
		{"mysql", "mysqld  Ver 10.11.18-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)", ""},
		{"mariadb", "mariadbd  Ver 10.11.18-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)", "10.11.18"},
		{"mariadb", "mysqld  Ver 8.0.33 for Linux on x86_64 (MySQL Community Server - GPL)", ""},
		{"mongodb", "db version v6.0.5\nBuild Info: {", "6.0.5"},
		{"redis", "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=dcb34d5a3d7b0a2e", "7.0.15"},
		{"valkey", "Valkey server v=8.1.4 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=d2b1f8e5c5a6d1a9", "8.1.4"},
		{"pgbouncer", "PgBouncer 1.18.0\nlibevent 2.1.12-stable", "1.18.0"},
	} {
		got := ""
		if match := products[test.product].says.FindStringSubmatch(test.line); match != nil {
			got = match[1]
		}
		if got != test.want {
			t.Errorf("%s: %q is %q, want %q", test.product, test.line, got, test.want)
		}
	}
}

func TestAVersionIsOfItsSeriesAlone(t *testing.T) {
	for _, test := range []struct {
		version, series string
		want            bool
	}{
		{"15.18", "15", true}, {"15", "15", true}, {"8.0.33", "8.0", true}, {"8.0.33", "8", true},
		{"16.1", "15", false}, {"150.1", "15", false}, {"8.04.1", "8.0", false}, {"8.4.0", "8.0", false}, {"1.0", "", false},
	} {
		if got := isOf(test.version, test.series); got != test.want {
			t.Errorf("isOf(%q, %q) = %v", test.version, test.series, got)
		}
	}
}

func TestAnArtifactIsWhereMavenKeepsIt(t *testing.T) {
	for artifact, want := range map[string]string{
		"com.example.db:dist:1.2:zip:linux-x86_64": "com/example/db/dist/1.2/dist-1.2-linux-x86_64.zip",
		"com.example:dist:1.2:jar":                 "com/example/dist/1.2/dist-1.2.jar",
	} {
		if got := (maven{artifact: artifact}).path(); got != want {
			t.Errorf("%s: %s, want %s", artifact, got, want)
		}
	}
}
