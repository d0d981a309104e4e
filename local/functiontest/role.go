package functiontest

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A role is what the function may do. Without a policy it may do everything.
type role struct {
	mu      sync.Mutex
	policed bool
	policy  []statement
}

// A statement of a policy, as messages print it.
type statement struct{ Effect, Action, Resource string }

// matches reports whether a pattern of IAM's, with * and ?, is for a text.
func matches(pattern, text string) bool {
	quoted := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(pattern))
	return regexp.MustCompile("^" + quoted + "$").MatchString(text)
}

// permits is for local.Options. Who signs with another key than the function is an operator.
func (r *role) permits(caller, action, resource string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.policed || caller != functionsKey {
		return true
	}
	return slices.ContainsFunc(r.policy, func(s statement) bool {
		return s.Effect == "Allow" && matches(s.Action, action) && matches(s.Resource, resource)
	})
}

// functionsKey is the access key that the host of functions gives them.
const functionsKey = "ASIALOCALFUNCTION000"

// begin gives the role a policy in place of the one that it has.
func (r *role) begin(statements ...statement) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.policed, r.policy = true, statements
}

func (r *role) add(s statement) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.policy = append(r.policy, s)
}

// allow adds the statement that a message prints.
func (r *role) allow(t *testing.T, message string) {
	t.Helper()
	var s statement
	printed := regexp.MustCompile(`\{"Effect".*?\}`).FindString(message)
	if err := json.Unmarshal([]byte(printed), &s); err != nil {
		t.Fatalf("no statement is in %s: %v", message, err)
	}
	if r.permits(functionsKey, s.Action, s.Resource) {
		t.Fatalf("%s is there, and has not helped", printed)
	}
	r.add(s)
}

func (r *role) size() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.policy)
}
