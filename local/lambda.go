package local

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// lambdaPath begins the paths of the Lambda API's operations on functions.
const lambdaPath = "/2015-03-31/functions"

// The error codes of the Lambda API, beside those that it shares with Secrets Manager.
const (
	codeBadValue   = "InvalidParameterValueException"
	codeBadContent = "InvalidRequestContentException"
	codeService    = "ServiceException"
)

// ServeHTTP answers requests of the Lambda API (protocol restJson1): Invoke, ListFunctions, GetFunction and
// GetFunctionConfiguration. Functions are named as there, by ARN, part of it, or name; a name that several functions
// have is refused. A parameter that asks for what is not here, such as the log's tail, is refused too. Errors have
// Lambda's codes, and function errors its form. Signatures are not checked.
//
// An invocation goes on when its caller has left. One of the type Event is not repeated if it fails.
func (f *Functions) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+lambdaPath+"/{name}/invocations", f.serveInvoke)
	mux.HandleFunc("GET "+lambdaPath+"/{name}/configuration", answering(f.getFunctionConfiguration))
	mux.HandleFunc("GET "+lambdaPath+"/{name}", answering(f.getFunction))
	mux.HandleFunc("GET "+lambdaPath+"/{$}", answering(f.listFunctions))
	mux.HandleFunc("GET "+lambdaPath, answering(f.listFunctions))
	mux.HandleFunc("/", answering(func(*http.Request) (any, error) { return nil, lambdaFail(codeUnknownOperation, "") }))
	mux.ServeHTTP(w, r)
}

// answering adapts an operation whose answer is JSON.
func answering[Out any](run func(*http.Request) (Out, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		out, err := run(r)
		var body []byte
		if err == nil {
			body, err = encode(out)
		}
		if err != nil {
			writeLambdaError(w, newUUID(), err)
			return
		}
		writeLambda(w, newUUID(), http.StatusOK, body)
	}
}

// lambdaFail makes an error with the status that Lambda gives to the code.
func lambdaFail(code, format string, args ...any) *serviceError {
	e := fail(code, format, args...)
	switch code {
	case codeNotFound, codeUnknownOperation:
		e.status = http.StatusNotFound
	case codeService:
		e.status = http.StatusInternalServerError
	}
	return e
}

// invalid is the error for a parameter that the API's model does not allow.
func invalid(value, parameter, constraint string) error {
	return lambdaFail(codeValidation, "1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must %s",
		value, parameter, constraint)
}

func writeLambdaError(w http.ResponseWriter, id string, err error) {
	var e *serviceError
	if !errors.As(err, &e) {
		e = lambdaFail(codeService, "%s", err.Error())
	}
	body := map[string]string{"Type": "User"}
	if e.status >= http.StatusInternalServerError {
		body["Type"] = "Service"
	}
	switch e.code { // The API's model writes the member's name in two ways.
	case codeNotFound, codeTooLarge, codeService:
		body["Message"] = e.message
	default:
		body["message"] = e.message
	}
	w.Header().Set("X-Amzn-Errortype", e.code)
	text, _ := json.Marshal(body) // Texts can always be encoded.
	writeLambda(w, id, e.status, text)
}

func writeLambda(w http.ResponseWriter, id string, status int, body []byte) {
	if status != http.StatusNoContent {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.Header().Set("X-Amzn-Requestid", id)
	w.WriteHeader(status)
	_, _ = w.Write(body) // A client that has hung up is no error of the service.
}

// parameters are those of the request's query, of which only the known ones may be there.
func parameters(r *http.Request, known ...string) (url.Values, error) {
	values := r.URL.Query()
	for name := range values {
		if !slices.Contains(known, name) {
			return nil, notHere(name)
		}
	}
	return values, nil
}

func notHere(parameter string) error {
	return lambdaFail(codeBadValue, "This stand-in for Lambda does not know what %s asks for.", parameter)
}
