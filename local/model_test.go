package local_test

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/local"
)

// modelShape is a shape of local/model.json, read apart from the code that is tested.
type modelShape struct {
	Type, Member, Pattern string
	Members               map[string]string
	Required, Enum        []string
	Min, Max              *int64
}

type serviceModel struct {
	Operations map[string]string
	Shapes     map[string]modelShape
}

func readServiceModel(t testing.TB) (m serviceModel) {
	t.Helper()
	text, err := os.ReadFile("model.json")
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil || len(m.Operations) != 23 {
		t.Fatalf("the service model has %d operations: %v", len(m.Operations), err)
	}
	return m
}

// goodInputs are requests that break no constraint, with every member of the operation.
var goodInputs = map[string]string{
	"BatchGetSecretValue": `{"SecretIdList": ["n"], "Filters": [{"Key": "name", "Values": ["n"]}], "MaxResults": 20, "NextToken": "x"}`,
	"CancelRotateSecret":  `{"SecretId": "n"}`,
	"CreateSecret": `{"Name": "m", "ClientRequestToken": "TOKEN", "Description": "d", "KmsKeyId": "k", "SecretBinary": "dg==", "SecretString": "v",
		"Tags": [{"Key": "k", "Value": "v"}], "AddReplicaRegions": [{"Region": "eu-west-1", "KmsKeyId": "k"}], "ForceOverwriteReplicaSecret": false, "Type": "t"}`,
	"DeleteResourcePolicy": `{"SecretId": "n"}`,
	"DeleteSecret":         `{"SecretId": "n", "RecoveryWindowInDays": 7, "ForceDeleteWithoutRecovery": false}`,
	"DescribeSecret":       `{"SecretId": "n"}`,
	"GetRandomPassword": `{"PasswordLength": 32, "ExcludeCharacters": "x", "ExcludeNumbers": false, "ExcludePunctuation": false, "ExcludeUppercase": false,
		"ExcludeLowercase": false, "IncludeSpace": false, "RequireEachIncludedType": true}`,
	"GetResourcePolicy":    `{"SecretId": "n"}`,
	"GetSecretValue":       `{"SecretId": "n", "VersionId": "TOKEN", "VersionStage": "AWSCURRENT"}`,
	"ListSecretVersionIds": `{"SecretId": "n", "MaxResults": 100, "NextToken": "x", "IncludeDeprecated": true}`,
	"ListSecrets": `{"IncludePlannedDeletion": true, "MaxResults": 100, "NextToken": "x", "Filters": [{"Key": "all", "Values": ["n", "!m"]}],
		"SortOrder": "asc", "SortBy": "name"}`,
	"PutResourcePolicy": `{"SecretId": "n", "ResourcePolicy": "{}", "BlockPublicPolicy": true}`,
	"PutSecretValue": `{"SecretId": "n", "ClientRequestToken": "TOKEN", "SecretBinary": "dg==", "SecretString": "v", "VersionStages": ["a", "b"],
		"RotationToken": "TOKEN"}`,
	"RemoveRegionsFromReplication": `{"SecretId": "n", "RemoveReplicaRegions": ["eu-west-1"]}`,
	"ReplicateSecretToRegions":     `{"SecretId": "n", "AddReplicaRegions": [{"Region": "eu-west-1", "KmsKeyId": "k"}], "ForceOverwriteReplicaSecret": false}`,
	"RestoreSecret":                `{"SecretId": "n"}`,
	"RotateSecret": `{"SecretId": "n", "ClientRequestToken": "TOKEN", "RotationLambdaARN": "f", "RotationRules": {"AutomaticallyAfterDays": 1, "Duration": "3h",
		"ScheduleExpression": "rate(1 day)"}, "ExternalSecretRotationMetadata": [{"Key": "k", "Value": "v"}],
		"ExternalSecretRotationRoleArn": "arn:aws:iam::123456789012:role/r", "RotateImmediately": true}`,
	"StopReplicationToReplica": `{"SecretId": "n"}`,
	"TagResource":              `{"SecretId": "n", "Tags": [{"Key": "k", "Value": "v"}]}`,
	"UntagResource":            `{"SecretId": "n", "TagKeys": ["k"]}`,
	"UpdateSecret": `{"SecretId": "n", "ClientRequestToken": "TOKEN", "Description": "d", "KmsKeyId": "k", "SecretBinary": "dg==", "SecretString": "v",
		"Type": "t"}`,
	"UpdateSecretVersionStage": `{"SecretId": "n", "VersionStage": "x", "RemoveFromVersionId": "TOKEN", "MoveToVersionId": "TOKEN"}`,
	"ValidateResourcePolicy":   `{"SecretId": "n", "ResourcePolicy": "{}"}`,
}

// goodInput has what is not there yet filled in.
func goodInput(operation string) string {
	return strings.ReplaceAll(goodInputs[operation], "TOKEN", token("two"))
}

// badInput is one value that the model does not allow, and the error that its constraint calls for. A value that the model does
// allow, at a bound, has none.
type badInput struct {
	where, value, code string
}

const (
	constraint = "ValidationException"
	jsonType   = "SerializationException"
)

// badInputs makes, for the value at a place in a request, what breaks each constraint of its shape.
func (m serviceModel) badInputs(name, at string) (all []badInput) {
	s := m.Shapes[name]
	add := func(code string, values ...string) {
		for _, v := range values {
			all = append(all, badInput{at, v, code})
		}
	}
	text := func(n int64, letter string) string { return `"` + strings.Repeat(letter, int(n)) + `"` }
	switch s.Type {
	case "string":
		add(jsonType, `1`, `1.5`, `true`, `false`, `{}`, `{"a": 1}`, `[]`, `["x"]`, `"\ud800"`, `"\udc00 \ud800"`, `"x\ud83d"`)
		if s.Min != nil && *s.Min > 0 {
			add(constraint, text(*s.Min-1, "1"), `""`)
		}
		if s.Max != nil {
			add(constraint, text(*s.Max+1, "1"), text(*s.Max+1, "ä"))
		}
		if s.Max != nil && s.Pattern == "" && s.Enum == nil {
			add("", text(*s.Max, "1"), text(*s.Max, "ä"), text(*s.Max, `\ud83d\ude00`))
		}
		if s.Pattern != "" {
			add(constraint, text(max(2, *orZero(s.Min)), "~"), text(max(2, *orZero(s.Min)), `\u0000`), text(max(2, *orZero(s.Min)), `\n`))
		}
		if s.Enum != nil {
			add(constraint, `"nonsense"`, `""`, `"`+strings.ToUpper(s.Enum[0])+`"`, `"`+s.Enum[0]+` "`)
		}
	case "blob":
		add(jsonType, `1`, `true`, `{}`, `[]`, `"*"`, `"dg"`, `"d"`, `"dg==x"`)
		add(constraint, `""`, `"`+base64.StdEncoding.EncodeToString(make([]byte, *s.Max+1))+`"`)
		add("", `"`+base64.StdEncoding.EncodeToString(make([]byte, *s.Max))+`"`)
	case "integer", "long":
		add(jsonType, `"1"`, `1.5`, `1e400`, `true`, `false`, `{}`, `[]`, `[1]`, `9223372036854775808`, `""`)
		if s.Min != nil {
			add(constraint, number(*s.Min-1), number(*s.Max+1), number(-*s.Max), `2147483647`, `-2147483648`)
			add("", number(*s.Min), number(*s.Max))
		}
	case "boolean":
		add(jsonType, `"true"`, `""`, `0`, `1`, `{}`, `[]`, `[true]`)
	case "list":
		add(jsonType, `"x"`, `1`, `true`, `false`, `{}`, `{"1": 2}`)
		add(constraint, `[null]`)
		one := m.good(s.Member)
		if s.Min != nil && *s.Min > 0 {
			add(constraint, `[]`)
		}
		if s.Max != nil {
			add(constraint, "["+strings.Repeat(one+",", int(*s.Max))+one+"]")
		}
		for _, inner := range m.badInputs(s.Member, at) {
			add(inner.code, "["+inner.value+"]", "["+one+", "+inner.value+"]")
		}
	case "structure":
		add(jsonType, `"x"`, `1`, `true`, `[]`, `[{}]`)
		for member, of := range s.Members {
			for _, inner := range m.badInputs(of, at) {
				add(inner.code, `{"`+member+`": `+inner.value+`}`)
			}
		}
	}
	return all
}

func orZero(n *int64) *int64 {
	if n == nil {
		return new(int64)
	}
	return n
}

func number(n int64) string { text, _ := json.Marshal(n); return string(text) }

// good is a value that a shape allows.
func (m serviceModel) good(name string) string {
	s := m.Shapes[name]
	switch {
	case s.Type == "structure":
		return `{}`
	case s.Enum != nil:
		return `"` + s.Enum[0] + `"`
	case strings.HasPrefix(name, "Region"):
		return `"eu-west-1"`
	}
	return `"` + strings.Repeat("x", int(max(1, *orZero(s.Min)))) + `"`
}

func TestBadInputsMadeFromTheServiceModelGetTheErrorThatTheirConstraintCallsFor(t *testing.T) {
	m := readServiceModel(t)
	s := serve(t, local.Options{})
	s.create(t, "n", "v")
	tried := 0
	for _, operation := range slices.Sorted(maps.Keys(m.Operations)) {
		request := m.Shapes[m.Operations[operation]]
		var good map[string]json.RawMessage
		if err := json.Unmarshal([]byte(goodInput(operation)), &good); err != nil || len(good) != len(request.Members) {
			t.Fatalf("%s: the good input has %d of %d members: %v", operation, len(good), len(request.Members), err)
		}
		// The same bad input for a secret that is there and for one that is not: parameters come before existence.
		for _, id := range []string{`"n"`, `"absent"`} {
			if _, named := good["SecretId"]; named {
				good["SecretId"] = json.RawMessage(id)
			} else if id != `"n"` {
				continue
			}
			check := func(what, member, value, want string) {
				tried++
				body := maps.Clone(good)
				if body[member] = json.RawMessage(value); value == "" {
					delete(body, member)
				}
				text, err := json.Marshal(body)
				if err != nil {
					t.Fatalf("%s: %v", value, err)
				}
				got := post(t, s.url, operation, string(text))
				code, _ := got.body["__type"].(string)
				refused := code == constraint || code == jsonType
				if want != "" && code != want || want == "" && refused && !strings.Contains(got.text, "Invalid name.") || got.status >= 500 {
					t.Errorf("%s of %s, %s = %.80s: got %d %.300s, want %q", what, operation, member, value, got.status, got.text, want)
				}
			}
			check("no bad member", "None", `1`, "")
			for member, of := range request.Members {
				for _, bad := range m.badInputs(of, member) {
					check("bad value", member, bad.value, bad.code)
				}
			}
			for _, member := range request.Required {
				check("missing", member, "", constraint)
				check("null", member, "null", constraint)
			}
		}
	}
	t.Logf("%d inputs, made from %d operations", tried, len(m.Operations))
	if tried < 1000 {
		t.Errorf("only %d inputs were made", tried)
	}
	s.wantLabels(t, "n", "one=AWSCURRENT")
}

func TestMemberNamesAreExactAndUnknownOnesAreIgnored(t *testing.T) {
	s := serve(t, local.Options{})
	s.create(t, "n", "v")
	s.create(t, "other", "w")
	for body, want := range map[string]string{
		`{"secretId": "n"}`:                                    constraint,
		`{"SECRETID": "n"}`:                                    constraint,
		`{"SecretId": "n", "secretid": "other"}`:               "v",
		`{"secretid": "other", "SecretId": "n", "x": [1, {}]}`: "v",
		`{"SecretId": "other", "SecretId": "n"}`:               "v",
		`{"SecretId": "n", "VersionStage": null}`:              "v",
		`{"SecretId": "n", "SecretId": null}`:                  constraint,
	} {
		got := post(t, s.url, "GetSecretValue", body)
		if got.body["__type"] != want && got.body["SecretString"] != want {
			t.Errorf("%s: got %s, want %s", body, got.text, want)
		}
	}
}

// Permissions are asked for the secret that is read, whatever other members a request has.
func TestPermissionsAreAskedForTheSecretThatIsRead(t *testing.T) {
	s := serve(t, local.Options{Permits: func(_, _, resource string) bool { return strings.Contains(resource, ":secret:open") }})
	s.create(t, "open", "v")
	s.create(t, "shut", "w")
	for _, body := range []string{`{"SecretId": "shut", "secretid": "open"}`, `{"secretid": "open", "SecretId": "shut"}`, `{"SecretId": "open", "SecretId": "shut"}`} {
		if got := post(t, s.url, "GetSecretValue", body); got.body["__type"] != "AccessDeniedException" {
			t.Errorf("%s: got %s", body, got.text)
		}
	}
}

// Errors quote no value of a secret, whatever is wrong with the request.
func TestValidationErrorsQuoteNoSensitiveValue(t *testing.T) {
	s := serve(t, local.Options{})
	s.create(t, "n", "v")
	for _, body := range []string{
		`{"SecretId": "n", "ClientRequestToken": "` + token("two") + `", "SecretString": "` + strings.Repeat("hunter2 ", 9000) + `"}`,
		`{"SecretId": "n", "ClientRequestToken": "` + token("two") + `", "SecretString": ["hunter2"]}`,
		`{"SecretId": "n", "ClientRequestToken": "` + token("two") + `", "SecretString": "v", "RotationToken": "hunter2"}`,
		`{"SecretId": "n", "ClientRequestToken": "` + token("two") + `", "SecretBinary": "hunter2"}`,
		`{"SecretId": "n", "ClientRequestToken": "` + token("two") + `", "SecretString": "hunter2\ud800"}`,
	} {
		if got := post(t, s.url, "PutSecretValue", body); got.status != 400 || strings.Contains(got.text, "hunter2") {
			t.Errorf("got %d %.200s", got.status, got.text)
		}
	}
}
