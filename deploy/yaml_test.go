package deploy_test

import (
	"fmt"
	"iter"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// A node is a value in a template. The short forms of CloudFormation's
// functions are its tag: !Ref, !Sub, !If. The zero node is a value that is
// not there.
type node struct{ *yaml.Node }

// parse reads a template's text.
func parse(t *testing.T, text string) node {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	return node{doc.Content[0]}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// fields yields the keys and values of a mapping.
func (n node) fields() iter.Seq2[string, node] {
	return func(yield func(string, node) bool) {
		if n.Node == nil || n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i < len(n.Content); i += 2 {
			if !yield(n.Content[i].Value, node{n.Content[i+1]}) {
				return
			}
		}
	}
}

// at follows the keys of mappings.
func (n node) at(keys ...string) node {
	for _, key := range keys {
		found := node{}
		for k, v := range n.fields() {
			if k == key {
				found = v
			}
		}
		n = found
	}
	return n
}

// list returns all values that may be meant: the elements of a list, or the
// value itself. Of an !If it is both branches.
func (n node) list() []node {
	switch {
	case n.Node == nil:
		return nil
	case n.Tag == "!If":
		return append(node{n.Content[1]}.list(), node{n.Content[2]}.list()...)
	case n.Kind != yaml.SequenceNode || strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!"):
		return []node{n}
	}
	var all []node
	for _, c := range n.Content {
		all = append(all, node{c}.list()...)
	}
	return all
}

// text is a scalar's value, for a !Sub with its ${...}; "" for anything else.
func (n node) text() string {
	if n.Node == nil || n.Kind != yaml.ScalarNode {
		return ""
	}
	return n.Value
}

func (n node) number() int {
	i, err := strconv.Atoi(n.text())
	if err != nil {
		return -1
	}
	return i
}

// texts are the texts of a list.
func (n node) texts() []string {
	var all []string
	for _, e := range n.list() {
		all = append(all, e.text())
	}
	return all
}

// String tells nodes apart: equal nodes, whatever their layout and comments,
// have equal strings.
func (n node) String() string {
	if n.Node == nil {
		return ""
	}
	tag := strings.TrimPrefix(n.ShortTag(), "!!")
	if n.Kind == yaml.ScalarNode {
		return fmt.Sprintf("%s %q", tag, n.Value)
	}
	var parts []string
	for _, c := range n.Content {
		parts = append(parts, node{c}.String())
	}
	return tag + "(" + strings.Join(parts, ", ") + ")"
}

// every yields n and all that it holds.
func (n node) every() iter.Seq[node] {
	return func(yield func(node) bool) { n.visit(yield) }
}

func (n node) visit(yield func(node) bool) bool {
	if n.Node == nil {
		return true
	}
	if !yield(n) {
		return false
	}
	for _, c := range n.Content {
		if !(node{c}).visit(yield) {
			return false
		}
	}
	return true
}

// resources yields the template's resources of a type, with their logical IDs.
func (n node) resources(kind string) iter.Seq2[string, node] {
	return func(yield func(string, node) bool) {
		for id, r := range n.at("Resources").fields() {
			if r.at("Type").text() == kind && !yield(id, r) {
				return
			}
		}
	}
}

// parameter returns the default of a parameter where n is a !Ref of one, and
// n itself where it is not.
func (n node) parameter(template node) node {
	if n.Node == nil || n.Tag != "!Ref" {
		return n
	}
	return template.at("Parameters", n.Value, "Default")
}

var substitution = regexp.MustCompile(`\$\{[^}]*\}`)
