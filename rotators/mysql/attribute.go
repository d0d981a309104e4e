package mysql

import (
	"encoding/json"
	"errors"
)

// attributePatch is what ATTRIBUTE has to say so that an account that has one
// object comes to have another: the server merges the two, as RFC 7396 has it
// (MySQL manual, "ALTER USER Statement", and JSON_MERGE_PATCH). It is "" if
// there is nothing to change.
func attributePatch(has, want string) (string, error) {
	if has == want {
		return "", nil
	}
	h, err := members(has)
	if err != nil {
		return "", err
	}
	w, err := members(want)
	if err != nil {
		return "", err
	}
	delete(h, markKey) // each account has its own
	delete(w, markKey)
	patch, err := json.Marshal(mergePatch(h, w))
	return string(patch), err
}

var errAttribute = errors.New("the account's ATTRIBUTE is no JSON object")

func members(text string) (map[string]json.RawMessage, error) {
	if text == "" {
		text = "{}"
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &m); err != nil || m == nil {
		return nil, errAttribute
	}
	return m, nil
}

func mergePatch(has, want map[string]json.RawMessage) map[string]json.RawMessage {
	patch := map[string]json.RawMessage{}
	for name := range has {
		if _, ok := want[name]; !ok {
			patch[name] = json.RawMessage("null")
		}
	}
	for name, value := range want {
		old, err1 := members(string(has[name]))
		now, err2 := members(string(value))
		switch {
		case string(has[name]) == string(value):
		case has[name] != nil && err1 == nil && err2 == nil:
			inner, _ := json.Marshal(mergePatch(old, now)) // of parsed JSON
			patch[name] = inner
		default:
			patch[name] = value
		}
	}
	return patch
}
