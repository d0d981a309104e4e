package local

import (
	"regexp"
	"slices"
)

const latest = "$LATEST"

// reference is what a caller names a function by: its name, its ARN or part of one, and perhaps a version or an alias.
// What is empty was not said.
type reference struct{ region, account, name, qualifier string }

// referenceForm is the pattern of FunctionName in the API's model, with groups.
var referenceForm = regexp.MustCompile(`^(?:arn:aws[a-zA-Z-]*:lambda:)?(?:([a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d):)?` +
	`(?:(\d{12}):)?(?:function:)?([a-zA-Z0-9-_.]+)(?::(\$LATEST|[a-zA-Z0-9-_]+))?$`)

func parseReference(text string) (r reference, ok bool) {
	parts := referenceForm.FindStringSubmatch(text)
	if parts == nil {
		return reference{}, false
	}
	return reference{region: parts[1], account: parts[2], name: parts[3], qualifier: parts[4]}, true
}

// means tells whether it may be that function: what was not said may be anything.
func (r reference) means(c FunctionConfig) bool {
	return r.name == c.Name && (r.region == "" || r.region == c.Region) && (r.account == "" || r.account == c.Account) &&
		(r.qualifier == "" || r.qualifier == latest || slices.Contains(c.Aliases, r.qualifier))
}

// arn is that of a function of which nobody knows more than was said.
func (r reference) arn() string {
	c := FunctionConfig{Name: r.name, Region: r.region, Account: r.account}.withDefaults()
	return callee{&Function{config: c}, r.qualifier}.arn()
}

// callee is a function as it was called.
type callee struct {
	*Function
	qualifier string
}

// arn is the function's, with the qualifier if there was one.
func (c callee) arn() string {
	if c.qualifier == "" {
		return c.ARN()
	}
	return c.ARN() + ":" + c.qualifier
}

// lookup finds a function for the Lambda API.
func (f *Functions) lookup(name, qualifier string) (callee, error) {
	r, ok := parseReference(name)
	if !ok {
		return callee{}, invalid(name, "functionName", "satisfy regular expression pattern: "+referenceForm.String())
	}
	if qualifier != "" && r.qualifier != "" && qualifier != r.qualifier {
		return callee{}, lambdaFail(codeBadValue, "The derived qualifier from the function name does not match the specified qualifier.")
	}
	r.qualifier = firstOf(r.qualifier, qualifier)
	switch found := f.called(r); len(found) {
	case 0:
		return callee{}, lambdaFail(codeNotFound, "Function not found: %s", r.arn())
	case 1:
		return callee{found[0], r.qualifier}, nil
	}
	return callee{}, lambdaFail(codeBadValue, "Several functions have the name %s. Give the ARN of one.", name)
}
