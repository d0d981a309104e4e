package main_test

import (
	"encoding/csv"
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/seed492efc12/rotor/framework/serve"
	"github.com/seed492efc12/rotor/internal/fleet"
)

// A row is what the JSON says of a secret.
type row struct {
	State, Secret, ARN, Profile, Region, Since, Rotated, Next, Function, FunctionOf, FunctionVersion, PendingVersion, Class, Cause, Remedy string
	Act                                                                                                                                    bool
	DaysSinceRotation, CertificateDays                                                                                                     *int
}

func rowsOf(t *testing.T, text string) (rows []row) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &rows); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return rows
}

func TestStatusOfAFleet(t *testing.T) {
	f := newFleet(t)
	a := newAccount(t, map[string]*region{"eu-west-1": f.region})
	sh := newShell(t, map[string]*account{"default": a})
	broken := 0
	for _, state := range f.states {
		if state.Bad() {
			broken++
		}
	}
	t.Logf("%d secrets, %d broken", len(f.states), broken)
	if len(f.states) != 400 || broken < 60 {
		t.Fatalf("%d secrets, %d broken", len(f.states), broken)
	}
	t.Run("each state is right, in six calls", func(t *testing.T) { statesAreRight(t, f, a, sh) })
	t.Run("what is folded is alike", func(t *testing.T) { foldedIsAlike(t, sh) })
	t.Run("why", func(t *testing.T) { whyIsTold(t, f, a, sh) })
	t.Run("csv", func(t *testing.T) { csvIsPlain(t, f, sh) })
	t.Run("html", func(t *testing.T) { htmlIsOneFile(t, f, sh) })
	t.Run("patterns", func(t *testing.T) { patternsChoose(t, sh) })
	t.Run("throttled", func(t *testing.T) { throttlingIsWaitedOut(t, a, sh) })
	t.Run("a page that fails", func(t *testing.T) { aPageFails(t, a, sh) })
	t.Run("denied", func(t *testing.T) { deniedNamesTheAction(t, f, a, sh) })
	t.Run("the watcher", func(t *testing.T) { theWatcherSaysTheSame(t, f, a) })
	for _, p := range f.passwords {
		if strings.Contains(sh.all.String(), p) {
			t.Error("rotor wrote a password")
		}
	}
	if strings.Contains(sh.all.String(), "\x1b") {
		t.Error("rotor wrote an escape sequence, and there is no terminal")
	}
}

func statesAreRight(t *testing.T, f *stage, a *account, sh *shell) {
	start := time.Now()
	out, stderr, status := sh.run(t, "status", "--output", "json")
	took := time.Since(start)
	calls := a.counted()
	total := 0
	for _, n := range calls {
		total += n
	}
	t.Logf("calls: %v in %v", calls, took)
	if calls["ListSecrets"] < 4 || calls["ListFunctions"] < 1 || total > 6 { // a connection may break, and the call is made again
		t.Errorf("calls are %v", calls)
	}
	if status != 2 || stderr != "" {
		t.Errorf("status %d, %s", status, stderr)
	}
	rows := rowsOf(t, out)
	if len(rows) != len(f.states) {
		t.Errorf("%d rows", len(rows))
	}
	order := fleet.States()
	worst := 0
	for _, r := range rows {
		want := f.states[r.Secret]
		if r.State != string(want) || r.Act != want.Bad() {
			t.Errorf("%s is %q, and said to be %q (act: %v)", r.Secret, want, r.State, r.Act)
		}
		at := slices.Index(order, fleet.State(r.State))
		if at < worst {
			t.Errorf("%s: %q comes after %q", r.Secret, r.State, order[worst])
		}
		worst = at
		if (r.State == "stuck") != (r.PendingVersion != "") || (r.State == "stuck") != (r.Since != "") {
			t.Errorf("%s: %q since %q, pending %q", r.Secret, r.State, r.Since, r.PendingVersion)
		}
		if n := r.DaysSinceRotation; strings.Contains(r.Secret, "/ok/") && (n == nil || *n != 10) {
			t.Errorf("%s: rotated %v days ago, want 10", r.Secret, n)
		}
		if strings.Contains(r.Secret, "/ok/") && (r.FunctionOf != "Rotor" || r.FunctionVersion != serve.Version) {
			t.Errorf("%s: by %q %s", r.Secret, r.FunctionOf, r.FunctionVersion)
		}
	}
}

// tableOf are the table's rows, with as many columns as its header.
func tableOf(t *testing.T, out string) (rows [][]string) {
	t.Helper()
	var starts []int
	for line := range strings.Lines(out) {
		line = strings.TrimSuffix(line, "\n")
		if starts == nil {
			for _, m := range regexp.MustCompile(`\S+`).FindAllStringIndex(line, -1) {
				starts = append(starts, m[0])
			}
			continue
		}
		if strings.TrimSpace(line) == "" {
			return rows
		}
		var cells []string
		for i, s := range starts {
			end := len(line)
			if i+1 < len(starts) {
				end = min(end, starts[i+1])
			}
			cells = append(cells, strings.TrimSpace(line[min(s, len(line)):end]))
		}
		rows = append(rows, cells)
	}
	t.Fatalf("no table: %s", out)
	return nil
}

var alike = regexp.MustCompile(`^(.*) \(\+(\d+) alike\)$`)

// foldedIsAlike expands the table: its rows stand for as many secrets as differ in no
// other column, and for all that somebody must act on.
func foldedIsAlike(t *testing.T, sh *shell) {
	short, stderr, status := sh.run(t, "status")
	if status != 2 || stderr != "" {
		t.Errorf("status %d, %s", status, stderr)
	}
	long, _, _ := sh.run(t, "status", "--all")
	t.Logf("\n%s", short)
	whole := map[string]int{} // how many secrets have what the other columns say
	first := map[string]string{}
	for _, r := range tableOf(t, long) {
		key := strings.Join(slices.Delete(slices.Clone(r), 1, 2), "|")
		whole[key]++
		first[r[1]] = key
	}
	told := 0
	for _, r := range tableOf(t, short) {
		name, stands := r[1], 1
		if m := alike.FindStringSubmatch(name); m != nil {
			n, _ := strconv.Atoi(m[2])
			name, stands = m[1], 1+n
		}
		key := strings.Join(slices.Delete(slices.Clone(r), 1, 2), "|")
		if first[name] != key || whole[key] != stands {
			t.Errorf("%q stands for %d secrets; %d are like it, and it is %q", r, stands, whole[key], first[name])
		}
		told += stands
	}
	bad := 0
	for _, r := range tableOf(t, long) {
		if fleet.State(r[0]).Bad() {
			bad++
		}
	}
	if told != bad {
		t.Errorf("the table stands for %d secrets, and %d are bad", told, bad)
	}
}

func whyIsTold(t *testing.T, f *stage, a *account, sh *shell) {
	a.counted()
	out, stderr, status := sh.run(t, "status", "--why", "-o", "json")
	calls := a.counted()
	t.Logf("calls: %v", calls)
	if status != 2 || stderr != readsLogs {
		t.Errorf("status %d, %s", status, stderr)
	}
	// A function of each engine, and the one that many secrets have.
	if calls["StartQuery"] < 4 || calls["StartQuery"] > 5 || calls["GetQueryResults"] < 4 {
		t.Errorf("calls are %v", calls)
	}
	certificates := 0
	for _, r := range rowsOf(t, out) {
		want := string(f.states[r.Secret])
		class := ""
		switch {
		case strings.Contains(r.Secret, "/trial/"):
			want, class = "failed trial", "Rotation.LoginRefused"
		case strings.Contains(r.Secret, "/stuck/value"):
			class = "Rotation.LoginRefused"
		case strings.Contains(r.Secret, "/stuck/none"):
			class = "Rotation.BadSecret"
		}
		if r.State != want || r.Class != class || (class == "") != (r.Cause == "") || (class == "") != (r.Remedy == "") {
			t.Errorf("%s: %q, %q (%s; %s); want %q, %q", r.Secret, r.State, r.Class, r.Cause, r.Remedy, want, class)
		}
		if strings.Contains(r.Secret, "/ok/") && r.CertificateDays != nil {
			certificates++
		}
	}
	if certificates != 36 {
		t.Errorf("%d certificates of 36 are told", certificates)
	}
	table, _, _ := sh.run(t, "status", "--why")
	t.Logf("\n%s", table)
	for _, want := range []string{"CERTIFICATE", "LoginRefused", "What to do: ", "6 failed trial"} {
		if !strings.Contains(table, want) {
			t.Errorf("%q is missing", want)
		}
	}
}

func csvIsPlain(t *testing.T, f *stage, sh *shell) {
	out, _, status := sh.run(t, "status", "--output", "csv")
	records, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil || status != 2 || len(records) != 401 {
		t.Fatalf("status %d, %d records, %v", status, len(records), err)
	}
	at := slices.Index(records[0], "secret")
	seen := map[string]bool{}
	for _, r := range records[1:] {
		seen[r[at]] = true
		for _, c := range r {
			if c != "" && strings.ContainsAny(c[:1], "=+-@") {
				t.Errorf("a cell is %q", c)
			}
		}
	}
	for name := range f.states {
		if strings.ContainsAny(name[:1], "=+-@") {
			name = "'" + name
		}
		if !seen[name] {
			t.Errorf("%s is missing", name)
		}
	}
}

// htmlIsOneFile reads the page as a browser does.
func htmlIsOneFile(t *testing.T, f *stage, sh *shell) {
	out, _, status := sh.run(t, "status", "--why", "--output", "html")
	if status != 2 {
		t.Errorf("status %d", status)
	}
	if path := os.Getenv("ROTOR_TEST_HTML"); path != "" { // to look at it
		if err := os.WriteFile(path, []byte(out), 0o600); err != nil {
			t.Error(err)
		}
	}
	root, err := html.Parse(strings.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		count[n.Data]++
		if n.Data == "tr" && slices.Contains(n.Attr, html.Attribute{Key: "class", Val: "why"}) {
			count["why"]++
		}
		for _, attribute := range n.Attr {
			if slices.Contains([]string{"src", "href", "srcset", "action"}, attribute.Key) || strings.HasPrefix(attribute.Key, "on") {
				t.Errorf("<%s %s=%q>", n.Data, attribute.Key, attribute.Val)
			}
		}
	}
	if count["tr"]-count["why"] != 401 || count["why"] != 30 || count["table"] != 1 || count["script"] != 0 || count["link"] != 0 || strings.Contains(out, "url(") {
		t.Errorf("elements are %v", count)
	}
}

func patternsChoose(t *testing.T, sh *shell) {
	for _, c := range []struct {
		args   string
		status int
		rows   int
		says   string
	}{
		{"mysql/ok/*", 0, 12, ""},
		{"mysql/ok/1?", 0, 2, ""},
		{"*/stuck/*", 2, 24, ""},
		{"mysql/ok/1", 0, 1, ""},
		{"plain/*", 0, 6, ""},
		{"nothing/*", 1, 0, "no secret matches nothing/*"},
		{"mysql/ok/1 nothing", 1, 1, "no secret matches nothing"},
		{"*/stuck/* nothing", 2, 24, "no secret matches nothing"},
		{"mysql/[", 64, -1, "syntax error in pattern"},
	} {
		out, stderr, status := sh.run(t, append([]string{"status", "-o", "json"}, strings.Fields(c.args)...)...)
		if status != c.status || !strings.Contains(stderr, c.says) || (c.says == "") != (stderr == "") {
			t.Errorf("%s: status %d, %s", c.args, status, stderr)
		}
		if c.rows >= 0 && len(rowsOf(t, out)) != c.rows {
			t.Errorf("%s: %d rows", c.args, len(rowsOf(t, out)))
		}
	}
	for args, see := range map[string]string{"status --output pdf": "rotor status", "status --colour": "rotor status", "statsu": "rotor", "status --region": "rotor status"} {
		if _, stderr, status := sh.run(t, strings.Fields(args)...); status != 64 || !strings.HasSuffix(stderr, "See: "+see+" --help\n") {
			t.Errorf("%s: status %d, %s", args, status, stderr)
		}
	}
}

// throttlingIsWaitedOut refuses every third call: of the SDK's three attempts one may
// go otherwise wrong, on a connection that breaks.
func throttlingIsWaitedOut(t *testing.T, a *account, sh *shell) {
	a.spoiling(t, func(_ string, n int) (string, string) {
		if n%3 == 1 {
			return "ThrottlingException", "Rate exceeded"
		}
		return "", ""
	})
	out, stderr, status := sh.run(t, "status", "-o", "json")
	calls := a.counted()
	t.Logf("calls: %v", calls)
	if status != 2 || stderr != "" || len(rowsOf(t, out)) != 400 || calls["ListSecrets"] < 6 || calls["ListFunctions"] < 2 {
		t.Errorf("status %d, %d rows, calls %v; %s", status, len(rowsOf(t, out)), calls, stderr)
	}
}

func aPageFails(t *testing.T, a *account, sh *shell) {
	a.spoiling(t, func(operation string, n int) (string, string) {
		if operation == "ListSecrets" && n > 2 {
			return "InternalServiceError", "An error occurred on the server side."
		}
		return "", ""
	})
	out, stderr, status := sh.run(t, "status")
	t.Log(stderr)
	if status != 1 || out != "" || !strings.Contains(stderr, "eu-west-1: listing the secrets") {
		t.Errorf("status %d, %q, %s", status, out, stderr)
	}
}

func deniedNamesTheAction(t *testing.T, f *stage, a *account, sh *shell) {
	for operation, action := range map[string]string{"ListSecrets": "secretsmanager:ListSecrets", "ListFunctions": "lambda:ListFunctions"} {
		for _, message := range []string{"User: arn:aws:iam::123456789012:user/someone is not authorized to perform: " + action + " because no identity-based policy allows it", ""} {
			a.spoiling(t, func(called string, _ int) (string, string) {
				if called == operation {
					return "AccessDeniedException", message
				}
				return "", ""
			})
			out, stderr, status := sh.run(t, "status")
			if status != 1 || out != "" || !strings.HasSuffix(stderr, "lack the permission "+action+"\n") {
				t.Errorf("status %d, %q, %s", status, out, stderr)
			}
		}
	}
	// What the logs would add is missing, and no more.
	a.spoiling(t, func(called string, _ int) (string, string) {
		if called == "StartQuery" {
			return "AccessDeniedException", ""
		}
		return "", ""
	})
	out, stderr, status := sh.run(t, "status", "--why", "-o", "json")
	if status != 2 || strings.Count(stderr, "lack the permission logs:StartQuery\n") != 4 {
		t.Errorf("status %d, %s", status, stderr)
	}
	for _, r := range rowsOf(t, out) {
		if r.State != string(f.states[r.Secret]) || r.Class != "" {
			t.Errorf("%s is %q, %q", r.Secret, r.State, r.Class)
		}
	}
	page, _, _ := sh.run(t, "status", "--why", "-o", "html")
	if strings.Count(page, "lack the permission logs:StartQuery") != 4 {
		t.Error("the page does not say what is missing")
	}
}

func TestStatusOfSeveralPlaces(t *testing.T) {
	accounts := map[string]*account{}
	names := map[string]bool{}
	for _, profile := range []string{"prod", "stage"} {
		regions := map[string]*region{}
		for _, name := range []string{"eu-west-1", "us-east-1"} {
			s := open(t, name)
			regions[name] = s.region
			secret := profile + "-" + name
			names[profile+" "+name+" "+secret] = true
			arn := s.declare("rotor-many", "Rotor "+serve.Version+": rotates secrets of nothing.", "provided.al2023", name)
			if err := s.create(t.Context(), secret, map[string]any{"key": "value"}, fleet.OK); err != nil {
				t.Fatal(err)
			}
			if err := s.rotate(t.Context(), secret, arn, false); err != nil {
				t.Fatal(err)
			}
		}
		accounts[profile] = newAccount(t, regions)
	}
	sh := newShell(t, accounts)
	everywhere := []string{"--profile", "prod,stage", "--region", "eu-west-1,us-east-1"}
	out, stderr, status := sh.run(t, append([]string{"status", "-o", "json"}, everywhere...)...)
	found := map[string]bool{}
	for _, r := range rowsOf(t, out) {
		found[r.Profile+" "+r.Region+" "+r.Secret] = true
		if r.State != "ok" || !strings.Contains(r.ARN, ":"+r.Region+":") {
			t.Errorf("%+v", r)
		}
	}
	if status != 0 || stderr != "" || !maps.Equal(found, names) {
		t.Errorf("status %d, found %v, %s", status, found, stderr)
	}
	table, _, _ := sh.run(t, append([]string{"status", "--all"}, everywhere...)...)
	t.Logf("\n%s", table)
	if !strings.Contains(table, "WHERE") || !strings.Contains(table, "stage us-east-1") {
		t.Error("the table does not say where")
	}
	// A place that cannot be looked at is said, and the others are shown.
	accounts["stage"].spoiling(t, func(operation string, _ int) (string, string) {
		if operation == "ListSecrets" {
			return "AccessDeniedException", ""
		}
		return "", ""
	})
	out, stderr, status = sh.run(t, append([]string{"status", "-o", "json"}, everywhere...)...)
	if status != 1 || len(rowsOf(t, out)) != 2 {
		t.Errorf("status %d, %s", status, out)
	}
	for _, want := range []string{"not looked at: stage eu-west-1", "not looked at: stage us-east-1", "2 of 4 places could not be looked at", "secretsmanager:ListSecrets"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("%q is missing in %s", want, stderr)
		}
	}
	if _, stderr, status := sh.run(t, "status", "--profile", "nobody"); status != 1 || !strings.Contains(stderr, "nobody") {
		t.Errorf("status %d, %s", status, stderr)
	}
}
