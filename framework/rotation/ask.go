package rotation

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/seed492efc12/rotor/framework/secret"
)

// An Ask is a question that somebody may put to the function beside the steps. An
// answer changes nothing and carries no value of a secret.
type Ask string

// The questions.
const (
	// AskPlan asks what the next rotation would send to the target.
	AskPlan Ask = "plan"
	// AskWhich asks which of the secret's labels has a credential that works.
	AskWhich Ask = "which"
)

// A Question is what the function gets in place of an Event.
type Question struct {
	Ask      Ask
	SecretID string // the ARN
	Label    string // for AskWhich: one more to try; may be empty
	Function string // the ARN of the function that is asked, as it was called
}

// ParseQuestion reads a question's JSON, such as {"Rotor":"plan","SecretId":"arn"}.
// Ok is false for whatever is none: an event, perhaps.
func ParseQuestion(payload []byte) (q Question, ok bool) {
	var e struct{ Rotor, SecretId, Label string }
	if err := json.Unmarshal(payload, &e); err != nil || e.Rotor == "" {
		return Question{}, false
	}
	return Question{Ask: Ask(e.Rotor), SecretID: e.SecretId, Label: e.Label}, true
}

// An Answer is what the function says to a Question, in JSON.
type Answer struct {
	Ask      Ask    `json:"rotor"`
	SecretID string `json:"secret"`
	// Failure is why there is no answer, or why the rotation would fail.
	Failure *Failure `json:"failure,omitempty"`
	Plan    *Plan    `json:"plan,omitempty"`
	Labels  []Label  `json:"labels,omitempty"`
	Notes   []Note   `json:"notes,omitempty"`
}

// A Failure is an [Error] without its event.
type Failure struct {
	Class  Class  `json:"class"`
	Cause  string `json:"cause"`
	Remedy string `json:"remedy"`
}

// A Label is what became of one login with the value that it is on.
type Label struct {
	Name    string   `json:"name"`
	Version string   `json:"version"`
	User    string   `json:"user,omitempty"`
	Works   bool     `json:"works"`
	Failure *Failure `json:"failure,omitempty"`
	// Differs are the fields, apart from password, in which the value is not
	// AWSCURRENT's.
	Differs []string `json:"differs,omitempty"`
	// Same says that the value is AWSCURRENT's, of another version: a trial's is.
	Same bool `json:"same,omitempty"`
}

// A Note is what a step would have logged.
type Note struct {
	Level string `json:"level"`
	Text  string `json:"text"`
}

// Ask answers a question. It never panics, changes nothing, and its answer carries
// no sensitive value of a secret that it read. It is bound as a step is: the secret
// must name the function. It does not retry.
func (e *Engine) Ask(ctx context.Context, q Question) Answer {
	ctx, cancel := withMargin(ctx)
	defer cancel()
	ev := Event{SecretID: q.SecretID}
	r := &run{Engine: e, ev: ev, redactor: &redactor{public: e.Public}, report: Rehearsal()}
	log, start := e.Log.With("asked", string(q.Ask), "secret", q.SecretID), e.Clock.Now()
	a := Answer{Ask: q.Ask, SecretID: q.SecretID}
	var err error
	func() {
		defer recovered(&err)
		err = r.answer(ctx, q, &a)
	}()
	a.Failure = r.failure(err)
	for _, n := range r.report.take().notes {
		told := Note{n.level.String(), r.redact(n.text)}
		if !slices.Contains(a.Notes, told) { // the trial and the rehearsal after it say much the same
			a.Notes = append(a.Notes, told)
		}
	}
	took := e.Clock.Now().Sub(start).Milliseconds()
	if f := a.Failure; f != nil {
		log.InfoContext(ctx, "answered", "class", f.Class, "cause", f.Cause, "remedy", f.Remedy, "durationMs", took)
		return a
	}
	log.InfoContext(ctx, "answered", "durationMs", took)
	return a
}

func (r *run) failure(err error) *Failure {
	if err == nil {
		return nil
	}
	e := newError(r.ev, err, r.redact)
	return &Failure{e.Class, e.Cause, e.Remedy}
}

func (r *run) answer(ctx context.Context, q Question, a *Answer) error {
	if q.SecretID == "" {
		return Fail(BadEvent, "The question names no secret: SecretId is missing.")
	}
	status, err := r.Store.Status(ctx, q.SecretID)
	if err != nil {
		return err
	}
	if !sameFunction(status.Function, q.Function) {
		return Fail(NotReady, "The secret is rotated by the function %q, and this one is %q.", status.Function, q.Function).
			With("Ask the function that rotates it.")
	}
	switch q.Ask {
	case AskPlan:
		a.Plan, err = r.rehearse(ctx, status)
	case AskWhich:
		a.Labels, err = r.which(ctx, status, q.Label)
	default:
		err = Fail(BadEvent, "The unknown question %q was asked.", q.Ask).With("Ask one that this version of Rotor knows: plan or which.")
	}
	return err
}

// sameFunction compares functions, whichever alias or version each ARN names.
func sameFunction(a, b string) bool {
	const parts = 7 // arn:aws:lambda:region:account:function:name
	name := func(arn string) string {
		all := strings.Split(arn, ":")
		return strings.Join(all[:min(parts, len(all))], ":")
	}
	return a != "" && name(a) == name(b)
}

// rehearse goes the way of setSecret: with AWSPENDING, if a rotation has begun, or
// else after a trial.
func (r *run) rehearse(ctx context.Context, status Status) (*Plan, error) {
	v := Versions{SecretID: r.ev.SecretID, CurrentVersion: status.version(Current), Others: others{r}, Report: r.report}
	var err error
	if v.Current, err = r.get(ctx, Current, ""); err != nil {
		return nil, err
	}
	if v.Pending, v.Version, err = r.begun(ctx, status); err != nil {
		return nil, err
	}
	if alike(v.Current, v.Pending) {
		return nil, v.unchanged()
	}
	if v.Version == "" {
		if err := r.Rotator.Preflight(ctx, v); err != nil {
			return nil, err
		}
	}
	if err := r.Rotator.Plan(ctx, v); err != nil {
		return nil, err
	}
	p := r.report.Plan()
	for _, lines := range [][]string{p.Statements, p.Gains, p.Loses} {
		for i, line := range lines {
			lines[i] = r.redact(line)
		}
	}
	return &p, nil
}

// begun is the value that a rotation under way has made, and its version. Version is
// empty if there is none.
func (r *run) begun(ctx context.Context, status Status) (d secret.Document, version string, err error) {
	version = status.version(Pending)
	if version == "" || version == status.version(Current) {
		return d, "", nil
	}
	if d, err = r.optional(ctx, Pending, version); d.IsZero() {
		version = "" // createSecret is yet to come
	}
	return d, version, err
}

// which tries each label's value once, AWSCURRENT's first. A value that two labels
// are on is tried for the first of them. One that cannot be used hides no other.
func (r *run) which(ctx context.Context, status Status, more string) (labels []Label, err error) {
	var current secret.Document
	tried := map[string]bool{}
	for _, name := range []string{Current, Pending, Previous, more} {
		version := status.version(name)
		if version == "" || tried[version] {
			continue
		}
		tried[version] = true
		d, err := r.get(ctx, name, version)
		if errors.Is(err, ErrNotFound) {
			labels = append(labels, Label{Name: name, Version: version, Failure: r.failure(r.noValueOf(version))})
			continue
		}
		if unusable(err) {
			labels = append(labels, Label{Name: name, Version: version, Failure: r.failure(err)})
			continue
		}
		if err != nil {
			return labels, err
		}
		if name == Current {
			current = d
		}
		l := Label{Name: name, Version: version, Differs: fields(current, d), Same: name != Current && alike(current, d)}
		l.User, err = r.Rotator.Try(ctx, name, d, r.report)
		l.Works, l.Failure = err == nil, r.failure(err)
		labels = append(labels, l)
	}
	return labels, nil
}

// unusable reports whether err is of a value that is no secret's: not JSON, say.
func unusable(err error) bool {
	f, ok := errors.AsType[*Fault](err)
	return ok && f.Class == BadSecret
}

// fields are those in which two values differ, passwords aside; none where there is
// no first one.
func fields(a, b secret.Document) []string {
	if a.IsZero() {
		return nil
	}
	return slices.DeleteFunc(secret.Differ(a, b), func(name string) bool { return name == "password" })
}

func (r *run) noValueOf(version string) error {
	return Fail(NotReady, "Version %s has no value.", version).With("createSecret will give it one: rotate again.")
}
