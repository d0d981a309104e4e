package local

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Functions is an [Invoker] that finds functions by their ARN, with an alias or without, and a [net/http.Handler] that
// invokes and describes them by the Lambda API. The zero value is empty and ready to use; it is safe for concurrent
// use. A function may be added, or replaced by another with the same ARN, at any time.
type Functions struct {
	mu    sync.Mutex
	byARN map[string]*Function
}

// Add makes a function reachable under its ARN. The caller still closes it.
func (f *Functions) Add(function *Function) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.byARN == nil {
		f.byARN = map[string]*Function{}
	}
	f.byARN[function.ARN()] = function
}

// Invocable tells whether a function with that ARN has been added.
func (f *Functions) Invocable(functionARN string) bool {
	_, ok := f.find(functionARN)
	return ok
}

// Invoke invokes the function with that ARN and drops its response, as Secrets Manager does.
func (f *Functions) Invoke(ctx context.Context, functionARN string, payload []byte) error {
	function, ok := f.find(functionARN)
	if !ok {
		return fmt.Errorf("no function %s", functionARN)
	}
	_, err := function.invoke(ctx, newInvocation(functionARN, payload))
	return err
}

// find finds a function for Secrets Manager, which takes whole ARNs alone.
func (f *Functions) find(arn string) (function *Function, ok bool) {
	r, ok := parseReference(arn)
	if !ok || !strings.HasPrefix(arn, "arn:") || r.region == "" || r.account == "" {
		return nil, false
	}
	found := f.called(r)
	if len(found) == 0 {
		return nil, false
	}
	return found[0], true
}

// called are the functions that a reference may mean. A whole ARN means one at most.
func (f *Functions) called(r reference) []*Function {
	return slices.DeleteFunc(f.all(), func(function *Function) bool { return !r.means(function.config) })
}

// all are the functions, in the order of their ARNs.
func (f *Functions) all() (list []*Function) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, arn := range slices.Sorted(maps.Keys(f.byARN)) {
		list = append(list, f.byARN[arn])
	}
	return list
}
