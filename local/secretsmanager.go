package local

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Invoker calls a Lambda function synchronously, as Secrets Manager does for each step of a rotation.
//
// Invoke returns the function's error; [FunctionError] keeps its type apart from its text. It must return soon
// after ctx ends. An Invoker that also has the method
//
//	Invocable(functionARN string) bool
//
// decides which functions Secrets Manager may invoke: RotateSecret refuses any other with AccessDeniedException.
// Without that method every function is invocable.
type Invoker interface {
	Invoke(ctx context.Context, functionARN string, payload []byte) error
}

// InvokerFunc is an [Invoker] made of a Go function, to rotate in process.
type InvokerFunc func(ctx context.Context, functionARN string, payload []byte) error

// Invoke calls f.
func (f InvokerFunc) Invoke(ctx context.Context, functionARN string, payload []byte) error {
	return f(ctx, functionARN, payload)
}

// Options configure a [SecretsManager]. The zero value is a service in us-east-1 without any function.
type Options struct {
	// Account goes into ARNs. Default: 123456789012.
	Account string
	// Region is where requests go that are not signed. The service is in every region: each request goes to the one that
	// it is signed for. Default: us-east-1.
	Region string
	// Keys tells which KMS keys there are. Without it every KmsKeyId is taken.
	Keys Keys
	// Invoke calls rotation functions. Without it RotateSecret answers as for a function that may not be invoked.
	Invoke Invoker
	// Retries is how often a failed rotation is run again: 0 means 3, a negative number none.
	Retries int
	// Backoff gives the pause before the retry-th retry, counted from 1. Default: 1 s, doubled each time.
	Backoff func(retry int) time.Duration
	// Permits decides whether a caller, named by the access key that it signs with, may take an action, such as
	// secretsmanager:GetSecretValue or kms:Decrypt, on a resource: a secret's ARN, or its key as CreateSecret named it.
	// It may be called concurrently. Default: everybody may do everything.
	Permits func(caller, action, resource string) bool
	// Now is the clock for all dates shown. Default: time.Now.
	Now func() time.Time
	// Log gets one line for each request and each step. It is never given a value, a RotationToken or an error's text.
	Log *slog.Logger
	// OnRequest is called for each request before its reply is sent, so a caller who has the reply can rely on
	// the call having been made. Like OnStep and Intercept it may be called concurrently.
	OnRequest func(Request)
	// OnStep is called after each call of a rotation function.
	OnStep func(Step)
	// Intercept is asked before each request whether to spoil it; n counts the requests for that operation from
	// 1. It returns nil to leave the request alone.
	Intercept func(operation string, n int) *Fault
}

// Keys are the KMS keys that secrets may be encrypted with.
type Keys interface {
	// Has tells whether there is a key in that region. It is named as in a KmsKeyId: by id, ARN or alias.
	Has(region, key string) bool
}

func (o Options) withDefaults() Options {
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	if o.Account == "" {
		o.Account = "123456789012"
	}
	if o.Retries == 0 {
		o.Retries = 3
	}
	if o.Backoff == nil {
		o.Backoff = func(retry int) time.Duration { return time.Second << (retry - 1) }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// SecretsManager is a Secrets Manager stand-in, to be served over HTTP. Make one with [NewSecretsManager]. It is
// safe for concurrent use; each operation takes effect as a whole or not at all.
type SecretsManager struct {
	options    Options
	operations map[string]handler
	inFlight   atomic.Int64

	// ctx ends when Close is called; every rotation runs under it.
	ctx        context.Context
	cancel     context.CancelFunc
	background sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	calls   map[string]int
	secrets map[address]*secret
}

// NewSecretsManager makes an empty service. Close it to stop the rotations that it runs in the background.
func NewSecretsManager(o Options) *SecretsManager {
	ctx, cancel := context.WithCancel(context.Background())
	return &SecretsManager{
		options:    o.withDefaults(),
		operations: operations(),
		ctx:        ctx,
		cancel:     cancel,
		calls:      map[string]int{},
		secrets:    map[address]*secret{},
	}
}

// Close ends the context of the function calls in progress, starts no further step, and returns when all
// rotations have stopped. RotateSecret then answers InternalServiceError; all else goes on working.
func (s *SecretsManager) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.background.Wait()
}

// now is the service's time, to the millisecond, as it is on the wire.
func (s *SecretsManager) now() time.Time { return s.options.Now().UTC().Truncate(time.Millisecond) }
