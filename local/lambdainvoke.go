package local

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"unicode/utf8"
)

// maxEvent is the most bytes that Lambda takes for an invocation that nobody waits for.
const maxEvent = 1 << 20

// The types of an invocation.
const (
	typeWait   = "RequestResponse"
	typeEvent  = "Event"
	typeDryRun = "DryRun"
)

// serveInvoke is Invoke. Its request id is the invocation's, which the function gets and logs.
func (f *Functions) serveInvoke(w http.ResponseWriter, r *http.Request) {
	i := newInvocation("", nil)
	kind, function, err := f.invoked(r, i)
	if err != nil {
		writeLambdaError(w, i.id, err)
		return
	}
	ctx := context.WithoutCancel(r.Context())
	switch kind {
	case typeDryRun:
		writeLambda(w, i.id, http.StatusNoContent, nil)
	case typeEvent:
		go func() { _, _ = function.invoke(ctx, i) }() // Nobody waits for the outcome.
		writeLambda(w, i.id, http.StatusAccepted, nil)
	default:
		response, err := function.invoke(ctx, i)
		writeOutcome(w, i.id, response, err)
	}
}

// invoked reads who is to be invoked and how, and completes the invocation.
func (f *Functions) invoked(r *http.Request, i *invocation) (kind string, function callee, err error) {
	query, err := parameters(r, "Qualifier")
	if err != nil {
		return "", function, err
	}
	for _, header := range []string{"X-Amz-Client-Context", "X-Amz-Durable-Execution-Name", "X-Amz-Tenant-Id"} {
		if r.Header.Get(header) != "" {
			return "", function, notHere(header)
		}
	}
	if log := r.Header.Get("X-Amz-Log-Type"); log != "" && log != "None" {
		return "", function, notHere("X-Amz-Log-Type")
	}
	kind = firstOf(r.Header.Get("X-Amz-Invocation-Type"), typeWait)
	if kind != typeWait && kind != typeEvent && kind != typeDryRun {
		return "", function, invalid(kind, "invocationType", "satisfy enum value set: [Event, DryRun, RequestResponse]")
	}
	if i.payload, err = readPayload(r, kind); err != nil {
		return "", function, err
	}
	function, err = f.lookup(r.PathValue("name"), query.Get("Qualifier"))
	if err == nil {
		i.arn = function.arn()
	}
	return kind, function, err
}

// readPayload reads the event: JSON, {} if there is none.
func readPayload(r *http.Request, kind string) ([]byte, error) {
	limit := maxPayload
	if kind == typeEvent {
		limit = maxEvent
	}
	payload, err := io.ReadAll(io.LimitReader(r.Body, int64(limit)+1))
	switch {
	case err != nil:
		return nil, lambdaFail(codeBadContent, "The request body could not be read.")
	case len(payload) > limit && kind == typeEvent:
		return nil, lambdaFail(codeTooLarge, "%d byte payload is too large for the Event invocation type (limit %d bytes)",
			max(r.ContentLength, int64(len(payload))), limit)
	case len(payload) > limit:
		return nil, lambdaFail(codeTooLarge, "Request must be smaller than %d bytes for the InvokeFunction operation", limit)
	case len(payload) == 0:
		return []byte("{}"), nil
	case !utf8.Valid(payload) || !json.Valid(payload):
		return nil, lambdaFail(codeBadContent, "Could not parse request body into json: Could not parse payload into json")
	}
	return payload, nil
}

// writeOutcome answers what the function did. An error of the function is no error of the request.
func writeOutcome(w http.ResponseWriter, id string, response []byte, err error) {
	var failure *FunctionError
	switch {
	case errors.As(err, &failure):
		w.Header().Set("X-Amz-Function-Error", "Unhandled")
		response = failure.json()
	case err != nil:
		writeLambdaError(w, id, err)
		return
	}
	w.Header().Set("X-Amz-Executed-Version", latest)
	writeLambda(w, id, http.StatusOK, response)
}
