// Package secret holds the value of a secret without ever printing it and
// without ever losing a byte it does not understand.
package secret

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"unicode/utf8"
)

// A Document is the JSON object stored in a secret. The zero Document is
// absent: it stands for "there is no such value".
//
// A Document is immutable: With returns a changed copy, in which every byte
// but the changed value's is the one that was read. It formats, logs and
// marshals as [secret]; only Bytes and Text reveal it.
type Document struct {
	raw    []byte
	fields []field
	end    int // offset of the closing brace
}

// A field is a name and where in raw its value stands.
type field struct {
	name       string
	start, end int
}

var (
	errNotObject = errors.New("the secret is not a JSON object")
	errNotJSON   = errors.New("the secret is not valid JSON")
)

// Parse reads a JSON object (RFC 8259) in UTF-8. An object that names a field
// twice is refused, because readers differ in which of the two they take. The
// errors never quote the input.
func Parse(data []byte) (Document, error) {
	if !utf8.Valid(data) {
		return Document{}, errNotJSON
	}
	d := Document{raw: bytes.Clone(data)}
	dec := json.NewDecoder(bytes.NewReader(d.raw))
	if tok, err := dec.Token(); err != nil || tok != json.Delim('{') {
		if err == nil {
			return Document{}, errNotObject
		}
		return Document{}, errNotJSON
	}
	for dec.More() {
		f, err := parseField(dec)
		if err != nil {
			return Document{}, err
		}
		if d.index(f.name) >= 0 {
			return Document{}, fmt.Errorf("the secret names the field %q twice", f.name)
		}
		d.fields = append(d.fields, f)
	}
	if _, err := dec.Token(); err != nil {
		return Document{}, errNotJSON
	}
	d.end = int(dec.InputOffset()) - 1
	if len(bytes.TrimSpace(d.raw[d.end+1:])) > 0 {
		return Document{}, errNotJSON
	}
	return d, nil
}

func parseField(dec *json.Decoder) (field, error) {
	tok, err := dec.Token()
	name, ok := tok.(string)
	if err != nil || !ok {
		return field{}, errNotJSON
	}
	var value json.RawMessage
	if err := dec.Decode(&value); err != nil {
		return field{}, errNotJSON
	}
	end := int(dec.InputOffset())
	return field{name, end - len(value), end}, nil
}

// IsZero reports whether d is absent.
func (d Document) IsZero() bool { return d.raw == nil }

// Text returns the named field as text: a string's content, a number or
// boolean as it was written. It returns "" if the field is missing, null, an
// object or a list.
func (d Document) Text(name string) string {
	i := d.index(name)
	if i < 0 {
		return ""
	}
	return text(d.raw[d.fields[i].start:d.fields[i].end])
}

func text(value []byte) string {
	switch value[0] {
	case '"':
		var s string
		if json.Unmarshal(value, &s) != nil {
			return ""
		}
		return s
	case '{', '[', 'n':
		return ""
	}
	return string(value)
}

// With returns a copy of d in which the named field is the string text. A new
// field goes last. An absent document becomes an object with that field alone.
func (d Document) With(name, text string) Document {
	value := quote(text)
	if d.IsZero() {
		d = Document{raw: []byte("{}"), end: 1}
	}
	at := field{name, d.end, d.end}
	insert := value
	i := d.index(name)
	if i >= 0 {
		at = d.fields[i]
	} else {
		insert = slices.Concat(quote(name), []byte(":"), value)
		if len(d.fields) > 0 {
			insert = slices.Concat([]byte(","), insert)
		}
	}
	raw := slices.Concat(d.raw[:at.start], insert, d.raw[at.end:])
	return d.moved(raw, i, at, len(insert), len(value))
}

// moved returns d with the offsets of raw, in which the bytes of at became
// size bytes that end in a value of valueSize bytes.
func (d Document) moved(raw []byte, i int, at field, size, valueSize int) Document {
	shift := size - (at.end - at.start)
	fields := slices.Clone(d.fields)
	for j := range fields {
		if fields[j].start > at.start {
			fields[j].start += shift
			fields[j].end += shift
		}
	}
	changed := field{at.name, at.start + size - valueSize, at.start + size}
	if i >= 0 {
		fields[i] = changed
	} else {
		fields = append(fields, changed)
	}
	return Document{raw: raw, fields: fields, end: d.end + shift}
}

// Differ returns the names of the fields that are not the same in a and b, in
// the order of their names. Two values are the same if their bytes are, or if
// Text says the same of both.
func Differ(a, b Document) []string {
	names := map[string]bool{}
	for _, d := range []Document{a, b} {
		for _, f := range d.fields {
			names[f.name] = true
		}
	}
	maps.DeleteFunc(names, func(name string, _ bool) bool {
		x, y := a.value(name), b.value(name)
		return bytes.Equal(x, y) || a.Text(name) != "" && a.Text(name) == b.Text(name)
	})
	return slices.Sorted(maps.Keys(names))
}

// value is what stands in the named field, or nil.
func (d Document) value(name string) []byte {
	i := d.index(name)
	if i < 0 {
		return nil
	}
	return d.raw[d.fields[i].start:d.fields[i].end]
}

// Bytes returns d as JSON, ready to be stored.
func (d Document) Bytes() []byte { return bytes.Clone(d.raw) }

func (d Document) index(name string) int {
	return slices.IndexFunc(d.fields, func(f field) bool { return f.name == name })
}

// quote returns s as a JSON string that people can read: json.Marshal would
// write & as \u0026.
func quote(s string) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always encodes
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

const redacted = "[secret]"

// Format implements fmt.Formatter, so that no verb at all reveals d: with only
// a String method, %d would still print the bytes as numbers.
func (Document) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, redacted) }

// LogValue implements slog.LogValuer.
func (Document) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON implements json.Marshaler.
func (Document) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
