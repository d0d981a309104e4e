package local

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// validate holds a request against the service model, and returns it with the members alone that the model has: their names
// are exact, and what is null counts as absent. An empty body is an empty object.
//
// A wrong JSON type is SerializationException. All that breaks a constraint is told in one ValidationException, in the words of
// AWS's services; a value is quoted there unless the model calls it sensitive.
func validate(operation string, body []byte) ([]byte, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		body = []byte("{}")
	}
	if !utf8.Valid(body) {
		return nil, fail(codeSerialization, "The request body is not valid UTF-8.")
	}
	if !json.Valid(body) {
		return nil, fail(codeSerialization, "The request body is not valid JSON.")
	}
	if loneSurrogate(body) {
		return nil, fail(codeSerialization, "The request body has an unpaired surrogate.")
	}
	var found findings
	clean, err := found.value("", requests[operation], body)
	if err != nil {
		return nil, err
	}
	return clean, found.err()
}

// loneSurrogate tells whether valid JSON has an escape of half a character. encoding/json would put U+FFFD in its place, and
// a secret must come back as it was given.
func loneSurrogate(body []byte) bool {
	for i := 0; i < len(body); i++ {
		if body[i] != '\\' {
			continue
		}
		i++
		if body[i] != 'u' {
			continue
		}
		high := hexRune(body[i+1:])
		i += 4
		switch {
		case high < 0xd800 || high > 0xdfff:
		case high > 0xdbff || !bytes.HasPrefix(body[i+1:], []byte(`\u`)):
			return true
		default:
			if low := hexRune(body[i+3:]); low < 0xdc00 || low > 0xdfff {
				return true
			}
			i += 6
		}
	}
	return false
}

// hexRune reads the four digits of an escape in valid JSON.
func hexRune(text []byte) uint64 {
	n, _ := strconv.ParseUint(string(text[:4]), 16, 32)
	return n
}

// findings collects what breaks a constraint.
type findings []string

func (f *findings) err() error {
	switch len(*f) {
	case 0:
		return nil
	case 1:
		return fail(codeValidation, "1 validation error detected: %s", (*f)[0])
	}
	return fail(codeValidation, "%d validation errors detected: %s", len(*f), strings.Join(*f, "; "))
}

// add notes a broken constraint of the member at path.
func (f *findings) add(s *shape, path, value, constraint string) {
	if s.sensitive {
		value = ""
	}
	*f = append(*f, fmt.Sprintf("Value %sat '%s' failed to satisfy constraint: %s", value, path, constraint))
}

// value checks one value, which is not null, and returns it without unknown members.
func (f *findings) value(path string, s *shape, raw json.RawMessage) (json.RawMessage, error) {
	raw = bytes.TrimSpace(raw)
	switch s.kind {
	case "structure":
		return f.structure(path, s, raw)
	case "list":
		return f.list(path, s, raw)
	case "string":
		text, err := textOf(raw)
		if err == nil {
			f.text(path, s, text)
		}
		return raw, err
	case "blob":
		return raw, f.blob(path, s, raw)
	case "integer", "long":
		return raw, f.number(path, s, raw)
	case "boolean":
		if raw[0] != 't' && raw[0] != 'f' {
			return nil, wrongType(raw, "Boolean")
		}
	}
	return raw, nil
}

func (f *findings) structure(path string, s *shape, raw json.RawMessage) (json.RawMessage, error) {
	if raw[0] != '{' {
		return nil, fail(codeSerialization, "An object was expected where the request has something else.")
	}
	var members, known map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return nil, unreadable()
	}
	known = map[string]json.RawMessage{}
	for _, name := range s.names {
		inner, given := members[name]
		at := join(path, name)
		if !given || string(inner) == "null" {
			if slices.Contains(s.required, name) {
				*f = append(*f, fmt.Sprintf("Value null at '%s' failed to satisfy constraint: Member must not be null", at))
			}
			continue
		}
		clean, err := f.value(at, s.members[name], inner)
		if err != nil {
			return nil, err
		}
		known[name] = clean
	}
	return encode(known)
}

func (f *findings) list(path string, s *shape, raw json.RawMessage) (json.RawMessage, error) {
	if raw[0] != '[' {
		return nil, fail(codeSerialization, "A list was expected where the request has something else.")
	}
	var elements []json.RawMessage
	if err := json.Unmarshal(raw, &elements); err != nil {
		return nil, unreadable()
	}
	for _, constraint := range s.size(int64(len(elements))) {
		f.add(s, path, "'["+strconv.Itoa(len(elements))+" members]' ", constraint)
	}
	for i, inner := range elements {
		at := path + "." + strconv.Itoa(i+1) + ".member"
		if string(inner) == "null" {
			*f = append(*f, fmt.Sprintf("Value null at '%s' failed to satisfy constraint: Member must not be null", at))
			continue
		}
		clean, err := f.value(at, s.element, inner)
		if err != nil {
			return nil, err
		}
		elements[i] = clean
	}
	return encode(elements)
}

// text checks a string. Its length is counted in characters.
func (f *findings) text(path string, s *shape, text string) {
	quoted := "'" + text + "' "
	for _, constraint := range s.size(int64(utf8.RuneCountInString(text))) {
		f.add(s, path, quoted, constraint)
	}
	if s.matches != nil && !s.matches.MatchString(text) {
		f.add(s, path, quoted, "Member must satisfy regular expression pattern: "+s.pattern)
	}
	if s.enum != nil && !slices.Contains(s.enum, text) {
		f.add(s, path, quoted, "Member must satisfy enum value set: ["+strings.Join(s.enum, ", ")+"]")
	}
}

func (f *findings) blob(path string, s *shape, raw json.RawMessage) error {
	text, err := textOf(raw)
	if err != nil {
		return err
	}
	binary, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return fail(codeSerialization, "A binary value is not base64.")
	}
	for _, constraint := range s.size(int64(len(binary))) {
		f.add(s, path, "", constraint)
	}
	return nil
}

func (f *findings) number(path string, s *shape, raw json.RawMessage) error {
	bits, name := 64, "Long"
	if s.kind == "integer" {
		bits, name = 32, "Integer"
	}
	n, err := strconv.ParseInt(string(raw), 10, bits)
	if err != nil {
		return wrongType(raw, name)
	}
	if s.min != nil && n < *s.min {
		f.add(s, path, "'"+string(raw)+"' ", fmt.Sprintf("Member must have value greater than or equal to %d", *s.min))
	}
	if s.max != nil && n > *s.max {
		f.add(s, path, "'"+string(raw)+"' ", fmt.Sprintf("Member must have value less than or equal to %d", *s.max))
	}
	return nil
}

// size tells which bounds a length breaks.
func (s *shape) size(n int64) (broken []string) {
	if s.min != nil && n < *s.min {
		broken = append(broken, fmt.Sprintf("Member must have length greater than or equal to %d", *s.min))
	}
	if s.max != nil && n > *s.max {
		broken = append(broken, fmt.Sprintf("Member must have length less than or equal to %d", *s.max))
	}
	return broken
}

func textOf(raw json.RawMessage) (text string, err error) {
	if raw[0] != '"' {
		return "", wrongType(raw, "String")
	}
	if json.Unmarshal(raw, &text) != nil {
		return "", unreadable()
	}
	return text, nil
}

// wrongType says what was found, and never its value.
func wrongType(raw json.RawMessage, wanted string) error {
	found := "NUMBER_VALUE"
	switch raw[0] {
	case '"':
		found = "STRING_VALUE"
	case 't':
		found = "TRUE_VALUE"
	case 'f':
		found = "FALSE_VALUE"
	case '{', '[':
		return fail(codeSerialization, "Start of structure or map found where not expected.")
	}
	return fail(codeSerialization, "%s can not be converted to %s", found, wanted)
}

// unreadable is for what valid JSON cannot be: it is there so that no error is dropped.
func unreadable() error { return fail(codeSerialization, "The request body could not be read.") }

// join makes the path of a member as errors show it: the first letter is small.
func join(path, member string) string {
	member = strings.ToLower(member[:1]) + member[1:]
	if path == "" {
		return member
	}
	return path + "." + member
}
