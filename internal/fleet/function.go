package fleet

import (
	"cmp"
	"regexp"
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
	Missing Kind = "gone"
	Unknown Kind = "" // the functions were not read, or it is another account's
)

// A Function rotates secrets.
type Function struct {
	ARN      string
	Kind     Kind
	Version  string // Rotor's
	Servers  string // of whose secrets it rotates, such as "MySQL and MariaDB"; empty if that is not known
	LogGroup string // empty for one that is not known
}

// Name is the function's, without the rest of its ARN.
func (f Function) Name() string { return cmp.Or(part(f.ARN, 6), f.ARN) }

// Functions are those of one account and region, by their ARNs. Nil Functions are
// not known.
type Functions map[string]Function

// find returns the function that rotates a secret. Its ARN may name a version or an
// alias. It is Missing if it should be among f, being of the secret's account and
// region, and is not.
func (f Functions) find(arn, secret string) Function {
	parts := strings.Split(arn, ":")
	bare := strings.Join(parts[:min(7, len(parts))], ":")
	if found, ok := f[bare]; ok {
		return found
	}
	if f != nil && part(bare, 3) == part(secret, 3) && part(bare, 4) == part(secret, 4) {
		return Function{ARN: bare, Kind: Missing}
	}
	return Function{ARN: bare}
}

// described is how the description of a function of Rotor's begins: template.yaml
// has them all.
var described = regexp.MustCompile(`^Rotor (\d+\.\d+\.\d+\S*): (?:rotates secrets of (.+)\.$)?`)

// describedByAWS is how those of AWS's functions begin.
// Source: the templates of AWS's functions in the Serverless Application Repository.
const describedByAWS = "Conducts an AWS SecretsManager secret rotation"

// FunctionOf reads what Lambda says of a function.
func FunctionOf(c types.FunctionConfiguration) Function {
	f := Function{ARN: aws.ToString(c.FunctionArn), Kind: Other}
	f.LogGroup = "/aws/lambda/" + f.Name()
	if l := c.LoggingConfig; l != nil && aws.ToString(l.LogGroup) != "" {
		f.LogGroup = *l.LogGroup
	}
	about := aws.ToString(c.Description)
	version := described.FindStringSubmatch(about)
	switch {
	case version != nil:
		f.Kind, f.Version, f.Servers = Rotor, version[1], version[2]
	case strings.HasPrefix(string(c.Runtime), "python") && strings.HasPrefix(about, describedByAWS):
		f.Kind = AWS
	}
	return f
}
