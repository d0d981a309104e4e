package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"time"
)

// ErrCanceled is what [SecretsManager.Wait] returns for a rotation that was stopped.
var ErrCanceled = errors.New("rotation canceled")

// run is one rotation in the background: up to 1 + Retries attempts at the four steps.
type run struct {
	secret        *secret
	arn           string
	token         string
	rotationToken string
	function      string
	testOnly      bool

	// stop, once closed, keeps the next step from starting; the one that is running goes on, as a function that
	// Lambda has started does.
	stop    chan struct{}
	stopped bool // guarded by SecretsManager.mu
	// done is closed when the run has ended; err is set before.
	done chan struct{}
	err  error
}

// event is what a rotation function receives.
type event struct {
	Step               string
	SecretID           string `json:"SecretId"`
	ClientRequestToken string
	RotationToken      string
}

func (r *run) ended() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// start runs a rotation in the background, unless it is already running. s.mu is held.
func (s *SecretsManager) start(sec *secret, v *version) {
	if latest := sec.rotation.runs[v.id]; s.closed || (latest != nil && !latest.ended()) {
		return
	}
	if v.rotationToken == "" {
		v.rotationToken = newUUID()
	}
	r := &run{
		secret: sec, arn: sec.arn, token: v.id, rotationToken: v.rotationToken, function: sec.rotation.function,
		testOnly: v.trial, stop: make(chan struct{}), done: make(chan struct{}),
	}
	if sec.rotation.runs == nil {
		sec.rotation.runs = map[string]*run{}
	}
	sec.rotation.runs[v.id] = r
	s.background.Go(func() { s.rotate(r) })
}

// stopRuns stops the rotations of a secret after their present step. SecretsManager.mu is held.
func (s *secret) stopRuns() {
	for _, r := range s.rotation.runs {
		if !r.stopped {
			r.stopped = true
			close(r.stop)
		}
	}
}

// rotate attempts the rotation until it succeeds, is stopped, or has no retries left. A trial (testOnly) is made once.
func (s *SecretsManager) rotate(r *run) {
	// A step in progress learns of Close through its context; the pause between attempts also of stop.
	pause, cancel := context.WithCancel(s.ctx)
	defer cancel()
	go func() {
		select {
		case <-r.stop:
			cancel()
		case <-pause.Done():
		}
	}()

	err := s.attempt(r, 1)
	for retry := 1; err != nil && retry <= s.options.Retries && !r.testOnly; retry++ {
		if errors.Is(err, ErrCanceled) || !sleep(pause, s.options.Backoff(retry)) {
			break
		}
		err = s.attempt(r, retry+1)
	}
	if err != nil && r.isStopped(s.ctx) && !errors.Is(err, ErrCanceled) {
		err = fmt.Errorf("%w: %w", ErrCanceled, err)
	}
	s.finish(r, err)
}

// attempt runs the steps in order up to the first that fails.
func (s *SecretsManager) attempt(r *run, number int) error {
	steps := []string{"createSecret", "setSecret", "testSecret", "finishSecret"}
	if r.testOnly {
		steps = []string{"testSecret"}
	}
	for _, name := range steps {
		if r.isStopped(s.ctx) {
			return ErrCanceled
		}
		if err := s.step(r, name, number); err != nil {
			return fmt.Errorf("attempt %d of rotation step %s: %w", number, name, err)
		}
	}
	return s.checkMoved(r)
}

// isStopped does not trust a select between several ready channels: stop always wins.
func (r *run) isStopped(ctx context.Context) bool {
	select {
	case <-r.stop:
		return true
	default:
		return ctx.Err() != nil
	}
}

// step calls the function once, and reports it.
func (s *SecretsManager) step(r *run, name string, attempt int) error {
	payload, err := json.Marshal(event{
		Step: name, SecretID: r.arn, ClientRequestToken: r.token, RotationToken: r.rotationToken,
	})
	if err != nil {
		return fmt.Errorf("encoding the event: %w", err)
	}
	seen := Step{SecretID: r.arn, Token: r.token, Name: name, Attempt: attempt, Before: s.labelsOf(r), Start: time.Now()}
	seen.Err = s.options.Invoke.Invoke(s.ctx, r.function, payload)
	seen.Duration = time.Since(seen.Start)
	seen.After = s.labelsOf(r)
	s.options.Log.Info("step", slog.String("step", name), slog.String("secret", r.arn), slog.String("version", r.token),
		slog.Int("attempt", attempt), slog.Duration("duration", seen.Duration), slog.Bool("failed", seen.Err != nil))
	if s.options.OnStep != nil {
		s.options.OnStep(seen)
	}
	return seen.Err
}

func (s *SecretsManager) labelsOf(r *run) Labels {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(r.secret.labels)
}

// checkMoved makes a function that reports success without having moved AWSCURRENT a failure: that rotation is not
// complete, and AWSPENDING stays.
func (s *SecretsManager) checkMoved(r *run) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !r.testOnly && r.secret.labels[labelCurrent] != r.token {
		return errors.New("finishSecret succeeded without moving AWSCURRENT to the new version")
	}
	return nil
}

// finish tidies up as the service does and ends the run. After a success it notes the date and takes AWSPENDING
// away; after a failure it leaves AWSPENDING. A trial's version is removed either way.
func (s *SecretsManager) finish(r *run, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sec := r.secret
	switch {
	case r.testOnly:
		sec.remove(r.token)
	case err == nil:
		now := s.now()
		sec.rotation.rotated, sec.changed = now, now
		if *sec.rotation.enabled {
			sec.rotation.next = sec.rotation.rules.next(now)
		}
		if sec.labels[labelPending] == r.token {
			delete(sec.labels, labelPending)
		}
		sec.prune(now)
	}
	r.err = err
	close(r.done)
}
