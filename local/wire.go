package local

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	contentType  = "application/x-amz-json-1.1"
	targetPrefix = "secretsmanager."
	// maxBody holds the largest secret with every byte escaped as \u00xx, and the other members.
	maxBody = 1 << 20
)

// handler does one operation in a region: request body in, reply body out. Its errors are *serviceError.
type handler func(r region, body []byte) ([]byte, error)

// checked is what an operation takes. check tells what is wrong with the parameters alone: it comes before all that
// depends on the secret, and after the constraints of the service model, which validate has checked.
type checked interface{ check() error }

// operation adapts a typed method. The method runs with s.mu held, so an operation is atomic.
func operation[In checked, Out any](run func(region, In) (Out, error)) handler {
	return func(r region, body []byte) ([]byte, error) {
		var in In
		if err := decode(body, &in); err != nil {
			return nil, err
		}
		if err := in.check(); err != nil {
			return nil, err
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		out, err := run(r, in)
		if err != nil {
			return nil, err
		}
		return encode(out)
	}
}

func operations() map[string]handler {
	return map[string]handler{
		"BatchGetSecretValue":          operation(region.batchGetSecretValue),
		"CancelRotateSecret":           operation(region.cancelRotateSecret),
		"CreateSecret":                 operation(region.createSecret),
		"DeleteResourcePolicy":         operation(region.deleteResourcePolicy),
		"DeleteSecret":                 operation(region.deleteSecret),
		"DescribeSecret":               operation(region.describeSecret),
		"GetRandomPassword":            operation(region.getRandomPassword),
		"GetResourcePolicy":            operation(region.getResourcePolicy),
		"GetSecretValue":               operation(region.getSecretValue),
		"ListSecretVersionIds":         operation(region.listSecretVersionIDs),
		"ListSecrets":                  operation(region.listSecrets),
		"PutResourcePolicy":            operation(region.putResourcePolicy),
		"PutSecretValue":               operation(region.putSecretValue),
		"RemoveRegionsFromReplication": operation(region.removeRegionsFromReplication),
		"ReplicateSecretToRegions":     operation(region.replicateSecretToRegions),
		"RestoreSecret":                operation(region.restoreSecret),
		"RotateSecret":                 operation(region.rotateSecret),
		"StopReplicationToReplica":     operation(region.stopReplicationToReplica),
		"TagResource":                  operation(region.tagResource),
		"UntagResource":                operation(region.untagResource),
		"UpdateSecret":                 operation(region.updateSecret),
		"UpdateSecretVersionStage":     operation(region.updateSecretVersionStage),
		"ValidateResourcePolicy":       operation(region.validateResourcePolicy),
	}
}

// ServeHTTP answers one request of the AWS JSON 1.1 protocol: POST /, with the operation in X-Amz-Target. Errors
// are HTTP 400 (the service's internal ones 500) with {"__type": code, "Message": text} and X-Amzn-Errortype.
// Signatures are not checked. A [Fault] may end it in panic(http.ErrAbortHandler), which makes net/http drop the
// connection.
func (s *SecretsManager) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	concurrent := s.inFlight.Add(1)
	defer s.inFlight.Add(-1)

	name := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), targetPrefix)
	body, readErr := readBody(w, r)
	start := time.Now()
	fault := s.intercept(name)
	fault.wait(r.Context())

	reply, err := []byte(nil), readErr
	dropped := fault != nil && (fault.LoseRequest || fault.LoseReply)
	switch {
	case err != nil:
	case fault.err() != nil:
		err = fault.err()
	case fault != nil && fault.LoseRequest:
	default:
		reply, err = s.do(r, name, body)
	}

	seen := observed(r, name, body)
	seen.Start, seen.Duration = start, time.Since(start)
	seen.Concurrent = int(concurrent)
	seen.ErrorCode = errorCode(err, dropped)
	s.report(seen)
	if dropped {
		panic(http.ErrAbortHandler)
	}
	write(w, reply, err)
}

// intercept counts the request and asks the fault hook.
func (s *SecretsManager) intercept(name string) *Fault {
	s.mu.Lock()
	s.calls[name]++
	n := s.calls[name]
	s.mu.Unlock()
	if s.options.Intercept == nil {
		return nil
	}
	return s.options.Intercept(name, n)
}

func (s *SecretsManager) do(r *http.Request, name string, body []byte) ([]byte, error) {
	handle, known := s.operations[name]
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if !known || r.Method != http.MethodPost || r.URL.Path != "/" || media != contentType ||
		!strings.HasPrefix(r.Header.Get("X-Amz-Target"), targetPrefix) {
		return nil, fail(codeUnknownOperation, "The service has no operation that the request names.")
	}
	body, err := validate(name, body)
	if err != nil {
		return nil, err
	}
	at := s.in(signedFor(r))
	if err := at.checkPermitted(r, name, body); err != nil {
		return nil, err
	}
	return handle(at, body)
}

func (s *SecretsManager) report(seen Request) {
	s.options.Log.Info("request", slog.String("operation", seen.Operation), slog.String("secret", seen.SecretID),
		slog.Duration("duration", seen.Duration), slog.String("error", seen.ErrorCode))
	if s.options.OnRequest != nil {
		s.options.OnRequest(seen)
	}
}

func errorCode(err error, dropped bool) string {
	var e *serviceError
	switch {
	case dropped:
		return codeDropped
	case errors.As(err, &e):
		return e.code
	}
	return ""
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, fail(codeTooLarge, "The request must be at most %d bytes long.", maxBody)
	case err != nil:
		return nil, fail(codeSerialization, "The request body could not be read.")
	}
	return body, nil
}

// decode reads a JSON object. An empty body is an empty object, as for the service. Invalid UTF-8 is refused,
// because encoding/json would change it silently and a secret must come back byte for byte.
func decode[T any](body []byte, into *T) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	if !utf8.Valid(body) {
		return fail(codeSerialization, "The request body is not valid UTF-8.")
	}
	if err := json.Unmarshal(body, into); err != nil {
		// The decoder's own text may quote the body, and with it a secret.
		return fail(codeSerialization, "The request body is not the JSON object that the operation takes.")
	}
	return nil
}

func encode[T any](value T) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, fail(codeInternal, "The reply could not be encoded.")
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// errorReply is the wire form of an error.
type errorReply struct {
	Type    string `json:"__type"`
	Message string `json:",omitempty"`
}

func write(w http.ResponseWriter, reply []byte, err error) {
	status := http.StatusOK
	var e *serviceError
	if errors.As(err, &e) {
		status = e.status
		w.Header().Set("X-Amzn-Errortype", e.code)
		reply, _ = encode(errorReply{Type: e.code, Message: e.message})
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(reply)))
	w.Header().Set("X-Amzn-Requestid", newUUID())
	w.WriteHeader(status)
	// A client that has hung up is no error of the service.
	_, _ = w.Write(reply)
}

// epoch is a time as AWS JSON 1.1 writes it: seconds since 1970 with a fraction.
type epoch time.Time

// stamp is the wire form of t, nil (left out of the reply) for no time.
func stamp(t time.Time) *epoch {
	if t.IsZero() {
		return nil
	}
	e := epoch(t)
	return &e
}

// MarshalJSON writes the time to the millisecond.
func (e epoch) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(time.Time(e).UnixMilli())/1000, 'f', 3, 64), nil
}
