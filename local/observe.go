package local

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// Request is what [Options].OnRequest learns of one request. It never holds a secret value or a RotationToken.
type Request struct {
	// Operation is the operation's name, such as GetSecretValue; empty if the request named none.
	Operation string
	// SecretID is the SecretId (CreateSecret: the Name) as the caller sent it.
	SecretID string
	// VersionID is the version asked for: VersionId, ClientRequestToken or MoveToVersionId, whichever the
	// operation has.
	VersionID string
	// VersionStage is the staging label asked for; several are joined by commas.
	VersionStage string
	// RotationToken tells whether the request carried a RotationToken.
	RotationToken bool
	// Start is when the request had been read; Duration runs from there to just before the reply is sent.
	Start    time.Time
	Duration time.Duration
	// ErrorCode is the error answered, such as ThrottlingException; empty on success, and "ConnectionDropped"
	// where a [Fault] dropped the connection.
	ErrorCode string
	// Connection names the client's connection: requests with the same name shared one. It is unique for the
	// life of a [Server], and the remote address under any other HTTP server.
	Connection string
	// Concurrent is the number of requests in progress when this one arrived, itself included.
	Concurrent int
}

// Step is what [Options].OnStep learns of one call of the rotation function.
type Step struct {
	// SecretID is the ARN of the secret.
	SecretID string
	// Token is the rotation's ClientRequestToken: the id of the version being made.
	Token string
	// Name is createSecret, setSecret, testSecret or finishSecret.
	Name string
	// Attempt counts the runs of this rotation from 1.
	Attempt int
	// Start and Duration tell when the function was called and how long it took.
	Start    time.Time
	Duration time.Duration
	// Err is the function's error, nil if the step succeeded.
	Err error
	// Before and After are the staging labels around the call. The service removes AWSPENDING only when the
	// whole rotation has ended, so finishSecret's After still has it.
	Before, After Labels
}

// Labels tells which version each staging label is on: label -> version id.
type Labels map[string]string

// Fault tells how to spoil one request. Delay combines with each of the others; of these at most one may be set.
type Fault struct {
	// Delay is waited before the operation takes effect.
	Delay time.Duration
	// Code, such as ThrottlingException, is answered instead of doing the operation, with Message and HTTP
	// Status (0: the usual one for the code).
	Code    string
	Message string
	Status  int
	// LoseRequest drops the connection before the operation takes effect.
	LoseRequest bool
	// LoseReply does the operation and then drops the connection: the caller cannot know whether it happened.
	LoseReply bool
}

const codeDropped = "ConnectionDropped"

// err is the error that the fault answers with, nil if it answers with none.
func (f *Fault) err() *serviceError {
	if f == nil || f.Code == "" {
		return nil
	}
	e := fail(f.Code, "%s", f.Message)
	if f.Status != 0 {
		e.status = f.Status
	}
	return e
}

// wait sleeps for the fault's delay, less if the caller hangs up.
func (f *Fault) wait(ctx context.Context) {
	if f != nil {
		sleep(ctx, f.Delay)
	}
}

// sleep waits for d or until ctx ends, and tells whether it waited all of d.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// target holds the members that say what a request is about. Every operation names them alike.
type target struct {
	SecretID           string `json:"SecretId"`
	Name               string
	VersionID          string `json:"VersionId"`
	ClientRequestToken string
	MoveToVersionID    string `json:"MoveToVersionId"`
	VersionStage       string
	VersionStages      []string
	RotationToken      string
}

// observed fills in the parts of a Request that its header and body tell. A body that does not parse leaves
// them empty: the operation itself reports that.
func observed(r *http.Request, operation string, body []byte) Request {
	var t target
	if decode(body, &t) != nil {
		t = target{}
	}
	stages := t.VersionStages
	if t.VersionStage != "" {
		stages = []string{t.VersionStage}
	}
	return Request{
		Operation:     operation,
		SecretID:      firstOf(t.SecretID, t.Name),
		VersionID:     firstOf(t.VersionID, t.MoveToVersionID, t.ClientRequestToken),
		VersionStage:  strings.Join(stages, ","),
		RotationToken: t.RotationToken != "",
		Connection:    connectionOf(r),
	}
}

func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}
