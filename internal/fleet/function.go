package fleet

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// A Kind is whose a function is.
type Kind string

// The kinds.
const (
	Rotor   Kind = "Rotor"
	AWS     Kind = "AWS"
	Other   Kind = "other"
	Unknown Kind = "" // the functions were not read, or it is another account's
)

// A Function rotates secrets.
type Function struct {
	ARN     string
	Kind    Kind
	Version string // Rotor's
}

// Name is the function's, without its ARN.
func (f Function) Name() string { return part(f.ARN, 6) }

// Functions are those of one account and region, by their ARNs. Nil Functions are
// not known.
type Functions map[string]Function

// find returns the function of an ARN, which may name a version or an alias. Known
// is false if it is not there.
func (f Functions) find(arn string) (found Function, known bool) {
	parts := strings.Split(arn, ":")
	bare := strings.Join(parts[:min(7, len(parts))], ":")
	if found, ok := f[bare]; ok {
		return found, true
	}
	for other := range f {
		if part(other, 3) == part(arn, 3) && part(other, 4) == part(arn, 4) {
			return Function{ARN: bare}, false
		}
	}
	return Function{ARN: bare}, true // another account's: who knows
}

// described is what the description of a function of Rotor's begins with:
// template.yaml has the rest, with the version.
const described = "Rotor "

// FunctionOf reads what Lambda says of a function.
func FunctionOf(c types.FunctionConfiguration) Function {
	f := Function{ARN: aws.ToString(c.FunctionArn), Kind: Other}
	about := aws.ToString(c.Description)
	switch {
	case strings.HasPrefix(about, described):
		f.Kind = Rotor
		f.Version, _, _ = strings.Cut(strings.TrimPrefix(about, described), ":")
	case strings.HasPrefix(string(c.Runtime), "python") && strings.HasPrefix(about, "Conducts an AWS SecretsManager secret rotation"):
		f.Kind = AWS
	}
	return f
}
