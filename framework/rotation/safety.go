package rotation

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/seed492efc12/rotor/framework/secret"
)

// A redactor hides what a run has read.
type redactor struct {
	token  string
	public []string // see [Engine.Public]
	mu     sync.Mutex
	docs   []secret.Document
}

func (r *redactor) hide(d secret.Document) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.ContainsFunc(r.docs, func(known secret.Document) bool { return bytes.Equal(known.Bytes(), d.Bytes()) }) {
		r.docs = append(r.docs, d) // an attempt reads what the one before has read
	}
}

func (r *redactor) redact(text string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range r.docs {
		text = d.Redact(text, r.public...)
	}
	if r.token != "" {
		text = strings.ReplaceAll(text, r.token, "[secret]")
	}
	return text
}

// safely runs the step and turns a panic into an error.
func (r *run) safely(ctx context.Context) (err error) {
	defer recovered(&err)
	return r.step(ctx)
}

// concurrently calls all functions at once, waits for all, and returns their
// errors in order. A panic becomes that function's error: in a goroutine of
// its own nothing else could catch it.
func concurrently(calls ...func() error) []error {
	errs := make([]error, len(calls))
	var wg sync.WaitGroup
	for i, call := range calls {
		wg.Go(func() {
			defer recovered(&errs[i])
			errs[i] = call()
		})
	}
	wg.Wait()
	return errs
}

// recovered, deferred, turns a panic into a Fault. The panic's value is told
// only if the Go runtime made it: any other may hold a password that no secret
// has yet.
func recovered(err *error) {
	value := recover()
	if value == nil {
		return
	}
	what := fmt.Sprintf("a value of type %T", value)
	if re, ok := value.(runtime.Error); ok {
		what = re.Error()
	}
	*err = Fail(Panic, "panic: %s at %s", what, callers())
}

// callers are the places that led to the panic, without their arguments.
func callers() string {
	pcs := make([]uintptr, 16)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(4, pcs)])
	var places []string
	for {
		f, more := frames.Next()
		if f.Function != "" && !strings.HasPrefix(f.Function, "runtime.") {
			places = append(places, fmt.Sprintf("%s:%d", f.Function, f.Line))
		}
		if !more {
			return strings.Join(places, " < ")
		}
	}
}
