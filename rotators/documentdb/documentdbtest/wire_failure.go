package documentdbtest

import (
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// notPrimary is the code of a write on a secondary.
const notPrimary = 10107

// A failure is the answer to a command that was not run. DocumentDB sends no name of the code: where people have shown
// what it says, there is none (issue 575 of community.mongodb, issue 486 of rwynn/monstache, both on GitHub).
// Source of the codes: MongoDB's src/mongo/base/error_codes.yml.
type failure struct {
	code    int32
	name    string
	message string
}

func (f *failure) Error() string { return fmt.Sprintf("%s (%d): %s", f.name, f.code, f.message) }

func (f *failure) document() bson.D {
	return bson.D{{Key: "ok", Value: 0.0}, {Key: "errmsg", Value: f.message}, {Key: "code", Value: f.code}}
}

func fail(code int32, name, format string, args ...any) *failure {
	return &failure{code, name, fmt.Sprintf(format, args...)}
}

func badValue(format string, args ...any) *failure { return fail(2, "BadValue", format, args...) }

func unauthorized(format string, args ...any) *failure {
	return fail(13, "Unauthorized", format, args...)
}

// errAuthentication is all that a refused client learns.
var errAuthentication = fail(18, "AuthenticationFailed", "Authentication failed.")

func succeed(fields ...bson.E) bson.D { return append(bson.D(fields), bson.E{Key: "ok", Value: 1.0}) }
