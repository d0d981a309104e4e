package local

import (
	_ "embed"
	"encoding/json"
	"regexp"
	"slices"
)

// modelJSON is what AWS's service model says of the requests: names, types and constraints. scripts/model.sh makes it.
//
//go:embed model.json
var modelJSON []byte

// shape is one type of the service model, with its constraints. What the model does not say is nil or empty.
type shape struct {
	kind     string // string, blob, integer, long, boolean, list or structure
	members  map[string]*shape
	names    []string // of members, sorted
	required []string
	element  *shape
	enum     []string
	min, max *int64
	pattern  string
	matches  *regexp.Regexp
	// sensitive shapes have values that no error may quote.
	sensitive bool
}

// written is a shape as the model writes it: other shapes by name.
type written struct {
	Type      string
	Members   map[string]string
	Required  []string
	Member    string
	Enum      []string
	Min, Max  *int64
	Pattern   string
	Sensitive bool
}

// requests are the shapes of the operations' requests.
var requests = readModel()

func readModel() map[string]*shape {
	var model struct {
		Operations map[string]string
		Shapes     map[string]written
	}
	if err := json.Unmarshal(modelJSON, &model); err != nil {
		panic("local: model.json: " + err.Error()) // it is part of the program
	}
	read := map[string]*shape{}
	inputs := map[string]*shape{}
	for operation, name := range model.Operations {
		inputs[operation] = link(model.Shapes, read, name)
	}
	return inputs
}

// link makes a shape and those that it is made of, each once.
func link(all map[string]written, done map[string]*shape, name string) *shape {
	if s := done[name]; s != nil {
		return s
	}
	w := all[name]
	s := &shape{kind: w.Type, required: w.Required, enum: w.Enum, min: w.Min, max: w.Max, pattern: w.Pattern,
		sensitive: w.Sensitive, members: map[string]*shape{}}
	done[name] = s
	if w.Pattern != "" {
		// The service matches the whole value, also where the model's pattern has no anchors.
		s.matches = regexp.MustCompile(`\A(?:` + w.Pattern + `)\z`)
	}
	for member, of := range w.Members {
		s.members[member] = link(all, done, of)
		s.names = append(s.names, member)
	}
	slices.Sort(s.names)
	if w.Member != "" {
		s.element = link(all, done, w.Member)
	}
	return s
}
