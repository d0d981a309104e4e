package local

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// policy is a resource policy, as far as it has to be understood to check it.
// Source: IAM user guide, "Grammar of the IAM JSON policy language".
type policy struct {
	Version   string
	ID        string `json:"Id"`
	Statement oneOrMore[statement]
}

type statement struct {
	Sid                                      string
	Effect                                   string
	Principal, NotPrincipal                  *principal
	Action, NotAction, Resource, NotResource oneOrMore[string]
	Condition                                map[string]map[string]oneOrMore[scalar]
}

// scalar is a value of a condition: text, a number or true and false, as text.
type scalar string

// UnmarshalJSON takes what the grammar takes.
func (s *scalar) UnmarshalJSON(raw []byte) error {
	if raw[0] != '"' {
		*s = scalar(raw)
		if raw[0] == '{' || raw[0] == '[' || raw[0] == 'n' {
			return errPolicy
		}
		return nil
	}
	var text string
	err := json.Unmarshal(raw, &text)
	*s = scalar(text)
	return err
}

// oneOrMore is a JSON value or a list of them.
type oneOrMore[T any] []T

// UnmarshalJSON takes both forms.
func (o *oneOrMore[T]) UnmarshalJSON(raw []byte) error {
	if raw[0] == '[' {
		var list []T
		err := strict(raw, &list)
		*o = list
		return err
	}
	var one T
	err := strict(raw, &one)
	*o = oneOrMore[T]{one}
	return err
}

// principal is "*", or who is meant by the kind of principal: AWS, Service, Federated or CanonicalUser.
type principal map[string]oneOrMore[string]

// UnmarshalJSON takes both forms; "*" means every AWS principal.
func (p *principal) UnmarshalJSON(raw []byte) error {
	if string(raw) == `"*"` {
		*p = principal{"AWS": {"*"}}
		return nil
	}
	var kinds map[string]oneOrMore[string]
	if err := strict(raw, &kinds); err != nil {
		return err
	}
	*p = kinds
	return nil
}

// strict refuses members that the type does not have.
func strict[T any](raw []byte, into *T) error {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}

// The errors of MalformedPolicyDocumentException.
var (
	errPolicy    = fail(codeMalformedPolicy, "This resource policy contains a syntax error.")
	errJSON      = fail(codeMalformedPolicy, "This resource policy contains invalid Json.")
	errPrincipal = fail(codeMalformedPolicy, "This resource policy contains an unsupported principal.")
)

// parsePolicy reads a resource policy, and refuses what the grammar does not have.
func parsePolicy(text string) (policy, error) {
	var p policy
	if !json.Valid([]byte(text)) {
		return p, errJSON
	}
	if err := strict([]byte(text), &p); err != nil {
		return p, errPolicy
	}
	if !slices.Contains([]string{"", "2008-10-17", "2012-10-17"}, p.Version) || len(p.Statement) == 0 {
		return p, errPolicy
	}
	for _, s := range p.Statement {
		if err := s.check(); err != nil {
			return p, err
		}
	}
	return p, nil
}

func (s statement) check() error {
	exactlyOne := func(a, b int) bool { return (a > 0) != (b > 0) }
	switch {
	case s.Effect != "Allow" && s.Effect != "Deny",
		(s.Principal == nil) == (s.NotPrincipal == nil),
		!exactlyOne(len(s.Action), len(s.NotAction)),
		!exactlyOne(len(s.Resource), len(s.NotResource)),
		s.NotPrincipal != nil && s.Effect == "Allow":
		return errPolicy
	}
	for _, action := range slices.Concat(s.Action, s.NotAction) {
		if !actionForm.MatchString(action) {
			return errPolicy
		}
	}
	for _, resource := range slices.Concat(s.Resource, s.NotResource) {
		if resource != "*" && !strings.HasPrefix(resource, "arn:") {
			return errPolicy
		}
	}
	who := s.Principal
	if who == nil {
		who = s.NotPrincipal
	}
	return who.check()
}

// actionForm is an action of Secrets Manager, perhaps with wildcards, or every action. IAM takes any case of letters.
var actionForm = regexp.MustCompile(`(?i)^(\*|secretsmanager:[a-z*?]+)$`)

// awsPrincipal is an account, a user, a role, a session, or everybody.
var awsPrincipal = regexp.MustCompile(`^(\*|\d{12}|arn:aws[a-z-]*:(iam|sts)::\d{12}:(root|(user|role|assumed-role|federated-user)/[\w+=,.@/-]+))$`)

func (p principal) check() error {
	if len(p) == 0 {
		return errPolicy
	}
	for kind, names := range p {
		if !slices.Contains([]string{"AWS", "Service", "Federated", "CanonicalUser"}, kind) || len(names) == 0 {
			return errPolicy
		}
		for _, name := range names {
			if name == "" || kind == "AWS" && !awsPrincipal.MatchString(name) {
				return errPrincipal
			}
		}
	}
	return nil
}

// everybody tells whether a principal is a wildcard.
func (p *principal) everybody() bool { return p != nil && slices.Contains((*p)["AWS"], "*") }

// narrowing are the condition keys that bound who the caller is, or from where. A wildcard with one of them is not broad access.
var narrowing = []string{"aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:principalorgpaths", "aws:sourceaccount", "aws:sourcearn",
	"aws:sourceip", "aws:sourceorgid", "aws:sourceorgpaths", "aws:sourcevpc", "aws:sourcevpce", "aws:userid", "kms:calleraccount"}

// public tells whether the policy gives broad access: a wildcard principal is allowed something, and no condition bounds who that is.
func (p policy) public() bool {
	return slices.ContainsFunc(p.Statement, func(s statement) bool {
		return s.Effect == "Allow" && s.Principal.everybody() && !s.narrowed()
	})
}

// narrowed tells whether a condition bounds the caller. Operators that negate, or hold where the key is absent, do not bound.
func (s statement) narrowed() bool {
	for operator, keys := range s.Condition {
		if strings.Contains(operator, "Not") || strings.HasSuffix(operator, "IfExists") || strings.HasPrefix(operator, "ForAllValues:") || operator == "Null" {
			continue
		}
		for key, values := range keys {
			wild := slices.ContainsFunc(values, func(v scalar) bool { return strings.Trim(string(v), "*") == "" || v == "0.0.0.0/0" || v == "::/0" })
			if slices.Contains(narrowing, strings.ToLower(key)) && !wild {
				return true
			}
		}
	}
	return false
}

// locksOut tells whether the policy denies everybody to change it again: then its own author could not.
func (p policy) locksOut() bool {
	return slices.ContainsFunc(p.Statement, func(s statement) bool {
		names := func(action string) bool { return wildcard(action, "secretsmanager:PutResourcePolicy") }
		denied := slices.ContainsFunc(s.Action, names) || s.NotAction != nil && !slices.ContainsFunc(s.NotAction, names)
		return s.Effect == "Deny" && s.Principal.everybody() && len(s.Condition) == 0 && denied
	})
}

// wildcard matches an action in any case of letters: * is any text, ? is one character.
func wildcard(pattern, text string) bool {
	quoted := regexp.QuoteMeta(pattern)
	quoted = strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(quoted)
	return regexp.MustCompile(`(?is)^` + quoted + `$`).MatchString(text)
}
