package local

import (
	"context"
	"fmt"
	"sync"
)

// Functions is an [Invoker] that finds functions by their ARN. The zero value is empty and ready to use; it is safe
// for concurrent use. A function may be added, or replaced by another with the same ARN, at any time.
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
func (f *Functions) Invocable(functionARN string) bool { return f.find(functionARN) != nil }

// Invoke invokes the function with that ARN and drops its response, as Secrets Manager does.
func (f *Functions) Invoke(ctx context.Context, functionARN string, payload []byte) error {
	function := f.find(functionARN)
	if function == nil {
		return fmt.Errorf("no function %s", functionARN)
	}
	_, err := function.Invoke(ctx, payload)
	return err
}

func (f *Functions) find(functionARN string) *Function {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.byARN[functionARN]
}
