package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// maxPayload is the most bytes that Lambda takes for an event or a response.
const maxPayload = 6 << 20

// runtimeAPI is the Lambda Runtime API for one process (developer guide, "Using the Lambda runtime API"). Each process
// has its own, on its own port, so that one that was replaced can never answer for its successor.
type runtimeAPI struct {
	listener net.Listener
	server   *http.Server
	// work hands the next invocation to the process.
	work chan *invocation
	// ready is closed at the first request for an invocation.
	ready   chan struct{}
	readyAt time.Time
	// initError gets what the process posts to init/error.
	initError chan *FunctionError

	mu      sync.Mutex
	current *invocation
}

// invocation is one event on its way through a process.
type invocation struct {
	id string
	// arn is what the function was called, with the version or alias if there was one.
	arn     string
	payload []byte
	// deadline is set when a process is to take it.
	deadline time.Time
	// done gets the outcome once; it has room, so that nobody waits for a caller who has left.
	done chan outcome
}

func newInvocation(arn string, payload []byte) *invocation {
	return &invocation{id: newUUID(), arn: arn, payload: payload, done: make(chan outcome, 1)}
}

type outcome struct {
	response []byte
	err      error
}

func newRuntimeAPI() (*runtimeAPI, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for the Lambda Runtime API: %w", err)
	}
	a := &runtimeAPI{
		listener: listener,
		work:     make(chan *invocation), ready: make(chan struct{}), initError: make(chan *FunctionError, 1),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", a.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", a.response)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", a.failure)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", a.initFailure)
	a.server = &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() { _ = a.server.Serve(listener) }() // It ends with close, and only then.
	return a, nil
}

func (a *runtimeAPI) address() string { return a.listener.Addr().String() }

func (a *runtimeAPI) close() { _ = a.server.Close() }

// next blocks until there is an invocation. To ask for one while another is unanswered is a state error.
func (a *runtimeAPI) next(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	busy := a.current != nil
	if !busy && a.readyAt.IsZero() {
		a.readyAt = time.Now()
		close(a.ready)
	}
	a.mu.Unlock()
	if busy {
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "The previous invocation has not been answered.")
		return
	}
	select {
	case i := <-a.work:
		a.mu.Lock()
		a.current = i
		a.mu.Unlock()
		a.deliver(w, i)
	case <-r.Context().Done():
	}
}

func (a *runtimeAPI) deliver(w http.ResponseWriter, i *invocation) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(i.payload)))
	h.Set("Lambda-Runtime-Aws-Request-Id", i.id)
	h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(i.deadline.UnixMilli(), 10))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", i.arn)
	h.Set("Lambda-Runtime-Trace-Id", "Root=1-"+randomText(hexDigits, 8)+"-"+randomText(hexDigits, 24)+";Sampled=0")
	_, _ = w.Write(i.payload) // A process that is gone is noticed by its exit.
}

func (a *runtimeAPI) response(w http.ResponseWriter, r *http.Request) {
	a.answer(w, r, func(body []byte) outcome { return outcome{response: body} })
}

func (a *runtimeAPI) failure(w http.ResponseWriter, r *http.Request) {
	a.answer(w, r, func(body []byte) outcome { return outcome{err: parseFunctionError(errorType(r), body)} })
}

func errorType(r *http.Request) string { return r.Header.Get("Lambda-Runtime-Function-Error-Type") }

// answer ends the current invocation, if the request is for that one.
func (a *runtimeAPI) answer(w http.ResponseWriter, r *http.Request, result func([]byte) outcome) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPayload))
	var tooLarge *http.MaxBytesError
	if err != nil && !errors.As(err, &tooLarge) {
		return // The process went away while sending.
	}
	a.mu.Lock()
	i := a.current
	if i == nil || i.id != r.PathValue("id") {
		a.mu.Unlock()
		refuse(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
		return
	}
	a.current = nil
	a.mu.Unlock()
	if tooLarge != nil {
		refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "Exceeded maximum allowed payload size.")
		i.done <- outcome{err: &FunctionError{Type: typeTooLarge,
			Message: fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", maxPayload)}}
		return
	}
	accept(w)
	i.done <- result(body)
}

func (a *runtimeAPI) initFailure(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPayload))
	if err != nil {
		return
	}
	accept(w)
	select {
	case a.initError <- parseFunctionError(errorType(r), body):
	default: // Only the first counts.
	}
}

func accept(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`)
}

func refuse(w http.ResponseWriter, status int, errorType, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"errorMessage":%q,"errorType":%q}`, message, errorType)
}

// offer hands an invocation to the process. It returns errGone if the process ends before it takes it.
func (a *runtimeAPI) offer(ctx context.Context, i *invocation, gone <-chan struct{}) error {
	select {
	case a.work <- i:
		return nil
	case <-gone:
		return errGone
	case <-ctx.Done():
		return ctx.Err()
	}
}

// errGone tells that a process had ended before it took an invocation.
var errGone = errors.New("the process has ended")
