package main

import (
	"slices"
	"strings"
)

// most is how many statements are broken in each way: the parsers of Redshift take a tenth of a second for one.
const most = 20

// A mistake is one that a driver could make in quoting a name. It gives "" where the name holds nothing that the
// mistake would spoil.
type mistake struct {
	title   string
	doubles bool // it is one with names alone that have the delimiter, which not every server takes
	make    func(e engine, name string) string
}

var mistakes = []mistake{
	{"a name without delimiters", false, func(_ engine, name string) string { return name }},
	{"a delimiter that is not doubled", true, func(e engine, name string) string {
		if !strings.Contains(name, e.close) {
			return ""
		}
		return e.open + name + e.close
	}},
	{"a second statement", false, func(e engine, name string) string {
		return e.quote(name) + "; DROP USER " + e.quote(name)
	}},
	{"the rest in a comment", false, func(e engine, name string) string { return e.quote(name) + " -- " }},
	{"another name", false, func(e engine, name string) string {
		letters := []rune(name)
		return e.quote(string(letters[1:]))
	}},
}

// quote writes a name as the vendor's manual has it.
func (e engine) quote(name string) string {
	return e.open + strings.ReplaceAll(name, e.close, e.close+e.close) + e.close
}

// breakAll makes mistakes in statements that were read as they are meant, and has them read: each must be refused.
func (e engine) breakAll(p *process, v vocabulary, got *result) error {
	for _, m := range mistakes {
		broken := e.spoil(m, got.read, v)
		if len(broken) == 0 && (!m.doubles || slices.Contains(e.hard, e.close)) {
			got.faults = append(got.faults, "no statement could be broken by "+m.title)
		}
		readings, err := p.read(broken)
		if err != nil {
			return err
		}
		for i, s := range broken {
			if readings[i].err == "" && e.fault(s, readings[i], v) == "" {
				got.faults = append(got.faults, m.title+" goes unnoticed: "+s)
			} else {
				got.refused++
			}
		}
	}
	return nil
}

// spoil makes a mistake in the hard names of some commands, spread over all.
func (e engine) spoil(m mistake, read []string, v vocabulary) (all []string) {
	for _, s := range read {
		if query.MatchString(label.ReplaceAllString(s, "")) {
			continue
		}
		for _, hard := range e.hard {
			if name := holding(e, s, hard, v); name != "" {
				if wrong := m.make(e, name); wrong != "" {
					all = append(all, strings.Replace(s, e.quote(name), wrong, 1))
				}
			}
		}
	}
	step := max(1, len(all)/most)
	var some []string
	for i := 0; i < len(all); i += step {
		some = append(some, all[i])
	}
	return some
}

// holding is the longest name in a statement that holds something hard.
func holding(e engine, statement, hard string, v vocabulary) (found string) {
	for name := range v.names {
		if strings.Contains(name, hard) && strings.Contains(statement, e.quote(name)) && (len(name) > len(found) || len(name) == len(found) && name < found) {
			found = name
		}
	}
	return found
}
