package deploy_test

import (
	"maps"
	"slices"
	"testing"

	"go.yaml.in/yaml/v3"
)

// A deployment is a template with values for its parameters, as CloudFormation
// would take it.
type deployment struct {
	template node
	values   map[string]string
}

// deploy gives the parameters values; the others have their defaults.
func deploy(t *testing.T, pairs ...string) deployment {
	t.Helper()
	d := deployment{parse(t, read(t, functionsTemplate)), map[string]string{}}
	for name, p := range d.template.at("Parameters").fields() {
		d.values[name] = p.at("Default").text()
	}
	for i := 0; i < len(pairs); i += 2 {
		if _, ok := d.values[pairs[i]]; !ok {
			t.Fatalf("there is no parameter %s", pairs[i])
		}
		d.values[pairs[i]] = pairs[i+1]
	}
	return d
}

// holds evaluates a condition. What it does not know is false.
func (d deployment) holds(n node) bool {
	each := func(yield func(bool) bool) {
		for _, c := range n.Content {
			if !yield(d.holds(node{c})) {
				return
			}
		}
	}
	switch n.Tag {
	case "!Condition":
		return d.holds(d.template.at("Conditions", n.Value))
	case "!Equals":
		return d.value(node{n.Content[0]}) == d.value(node{n.Content[1]})
	case "!Not":
		return !d.holds(node{n.Content[0]})
	case "!And":
		return !slices.Contains(slices.Collect(each), false)
	case "!Or":
		return slices.Contains(slices.Collect(each), true)
	}
	return false
}

func (d deployment) value(n node) string {
	if n.Tag == "!Ref" {
		return d.values[n.Value]
	}
	return n.Value
}

// made reports whether the resource or output has no condition, or one that
// holds.
func (d deployment) made(n node) bool {
	c := n.at("Condition")
	return c.Node == nil || d.holds(d.template.at("Conditions", c.text()))
}

// resolve follows every !If in n. AWS::NoValue stays.
func (d deployment) resolve(n node) node {
	if n.Tag == "!If" {
		branch := n.Content[2]
		if d.holds(d.template.at("Conditions", n.Content[0].Value)) {
			branch = n.Content[1]
		}
		return d.resolve(node{branch})
	}
	whole := *n.Node
	whole.Content = nil
	for _, c := range n.Content {
		whole.Content = append(whole.Content, d.resolve(node{c}).Node)
	}
	return node{&whole}
}

// resources are the logical IDs of what is made.
func (d deployment) resources() []string {
	var ids []string
	for id, r := range d.template.at("Resources").fields() {
		if d.made(r) {
			ids = append(ids, id)
		}
	}
	return ids
}

// actions are what the role may do, by itself and by the policies that it
// shares with others.
func (d deployment) actions(role string) []string {
	r := d.resolve(d.template.at("Resources", role)).at("Properties")
	documents := []node{r.at("Policies")}
	for _, policy := range r.at("ManagedPolicyArns").texts() {
		documents = append(documents, d.template.at("Resources", policy))
	}
	found := map[string]bool{}
	for _, document := range documents {
		for n := range document.every() {
			if n.Kind == yaml.MappingNode && n.at("Effect").text() == "Allow" {
				for _, a := range n.at("Action").texts() {
					found[a] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// refusal is what the template's rules say to the values; "" lets them pass.
func (d deployment) refusal() string {
	for _, rule := range d.template.at("Rules").fields() {
		if c := rule.at("RuleCondition"); c.Node != nil && !d.holds(c) {
			continue
		}
		for _, a := range rule.at("Assertions").list() {
			if !d.holds(a.at("Assert")) {
				return a.at("AssertDescription").text()
			}
		}
	}
	return ""
}
