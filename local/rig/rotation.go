package rig

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/seed492efc12/rotor/local"
)

// A Rotation is what one call of RotateSecret led to.
type Rotation struct {
	Secret string // the ARN
	Token  string // the version that was to be made
	// Steps are the calls of the function in their order, those of retries included.
	Steps []Step
	// Duration is the time from the first step's start to the last one's end.
	Duration time.Duration
	// Labels are the staging labels in the end.
	Labels local.Labels
	// NewConnections is how many connections to Secrets Manager the function opened.
	NewConnections int
}

// A Step is one call of the function, with what it asked of Secrets Manager.
type Step struct {
	local.Step
	// Requests are those that the stand-in answered during the step, in the order of the answers.
	Requests []local.Request
}

// Calls counts the requests to Secrets Manager.
func (n Rotation) Calls() (calls int) {
	for _, s := range n.Steps {
		calls += len(s.Requests)
	}
	return calls
}

// Operations are the names of the requests.
func (s Step) Operations() (names []string) {
	for _, q := range s.Requests {
		names = append(names, q.Operation)
	}
	return names
}

// Concurrent is the most requests that were in progress at one time. Without a delay (Options.Intercept) the stand-in
// may answer one before the next comes.
func (s Step) Concurrent() (most int) {
	for _, q := range s.Requests {
		n := 0
		for _, other := range s.Requests { // those that had begun and not ended when q began, q itself included
			if !other.Start.After(q.Start) && q.Start.Before(other.Start.Add(other.Duration)) {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// ErrorType is the Lambda error type in err, such as Rotation.TLS, or "" if no function reported err.
func ErrorType(err error) string {
	var f *local.FunctionError
	if errors.As(err, &f) {
		return f.Type
	}
	return ""
}

// Rotate calls RotateSecret and waits until the rotation has ended. The error is that of RotateSecret or of the last
// step; the Rotation tells what happened in either case. Whatever else uses the stand-in meanwhile is counted in.
func (r *Rig) Rotate(ctx context.Context, secret string, f *Function) (Rotation, error) {
	return r.rotate(ctx, secret, f, true)
}

// Try calls RotateSecret with RotateImmediately=false: the service has the function test whether it could rotate.
func (r *Rig) Try(ctx context.Context, secret string, f *Function) (Rotation, error) {
	return r.rotate(ctx, secret, f, false)
}

func (r *Rig) rotate(ctx context.Context, secret string, f *Function, immediately bool) (Rotation, error) {
	r.turn.Lock()
	defer r.turn.Unlock()
	r.begin()
	token, arn := "rig-"+rand.Text()+rand.Text(), f.ARN()
	out, err := r.Client.RotateSecret(ctx, &secretsmanager.RotateSecretInput{
		SecretId: &secret, ClientRequestToken: &token, RotationLambdaARN: &arn, RotateImmediately: &immediately,
	})
	if err != nil {
		return Rotation{Token: token}, err
	}
	err = r.service.Wait(ctx, *out.ARN, token)
	n := r.end()
	n.Secret, n.Token = *out.ARN, token
	labels, describeErr := r.Labels(ctx, *out.ARN)
	n.Labels = labels
	return n, errors.Join(err, describeErr)
}

// Wait waits until the rotation that makes a version of a secret has ended, whoever started it, and is the error of its
// last step.
func (r *Rig) Wait(ctx context.Context, secret, token string) error {
	return r.service.Wait(ctx, secret, token)
}

// Labels tells which version of a secret each staging label is on.
func (r *Rig) Labels(ctx context.Context, secret string) (local.Labels, error) {
	out, err := r.Client.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &secret})
	if err != nil {
		return nil, err
	}
	labels := local.Labels{}
	for version, stages := range out.VersionIdsToStages {
		for _, stage := range stages {
			labels[stage] = version
		}
	}
	return labels, nil
}

// A record collects what one rotation does.
type record struct {
	recording sync.Mutex
	opened    int // connections to the stand-in, ever
	before    int // of these, before the first step; -1 until then
	requests  []local.Request
	steps     []Step
}

func (c *record) begin() {
	c.recording.Lock()
	defer c.recording.Unlock()
	c.before, c.requests, c.steps = -1, nil, nil
}

// connection is the stand-in's http.Server.ConnState.
func (c *record) connection(_ net.Conn, state http.ConnState) {
	c.recording.Lock()
	defer c.recording.Unlock()
	if state == http.StateNew {
		c.opened++
	}
}

// invoking begins the count of connections: that of RotateSecret is open by now.
func (c *record) invoking() {
	c.recording.Lock()
	defer c.recording.Unlock()
	if c.before < 0 {
		c.before = c.opened
	}
}

func (c *record) request(q local.Request) {
	c.recording.Lock()
	defer c.recording.Unlock()
	if q.Operation != "RotateSecret" { // its reply may come after the first step's start
		c.requests = append(c.requests, q)
	}
}

func (c *record) step(s local.Step) {
	c.recording.Lock()
	defer c.recording.Unlock()
	c.steps, c.requests = append(c.steps, Step{Step: s, Requests: c.requests}), nil
}

func (c *record) end() Rotation {
	c.recording.Lock()
	defer c.recording.Unlock()
	if len(c.steps) == 0 {
		return Rotation{}
	}
	last := c.steps[len(c.steps)-1]
	return Rotation{
		Steps:          c.steps,
		Duration:       last.Start.Add(last.Duration).Sub(c.steps[0].Start),
		NewConnections: c.opened - c.before,
	}
}
