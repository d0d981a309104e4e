package mysql

import (
	"maps"
	"slices"
)

// MySQL can deny in one database what an account may do everywhere else (partial
// revokes). What a statement about everything does then depends on what is denied to
// whoever runs it, so that a trial works it out.
// Source: MySQL manual, "Privilege Restriction Using Partial Revokes", and
// sql/auth/partial_revokes.cc.

// denials are the objects in which something is denied.
func (h *holdings) denials() (all []object) {
	for o := range h.on {
		if o.denied && len(h.on[o]) > 0 {
			all = append(all, o)
		}
	}
	return all
}

// copied is a copy whose rights may be changed.
func (h *holdings) copied() *holdings {
	c := *h
	c.on = map[object]rights{}
	for o, list := range h.on {
		c.on[o] = maps.Clone(list)
	}
	return &c
}

// after is what an account has after a change of its rights by somebody.
func (h *holdings) after(ch change, by *holdings) *holdings {
	h = h.copied()
	o := object{name: ch.on.name}
	switch {
	case len(ch.rights) == 0:
		h.afterOther(ch)
	case ch.takes && o.name == everywhere:
		h.take(o, ch.rights)
		for _, d := range h.denials() {
			h.take(d, ch.rights)
		}
	case ch.takes:
		h.takeIn(o, ch.rights)
	case o.name == everywhere:
		h.giveEverywhere(ch.rights, by)
	default:
		h.giveIn(o, ch.rights)
	}
	return h
}

// afterOther is after for a role or a proxy.
func (h *holdings) afterOther(ch change) {
	of, name := &h.roles, ch.role
	if ch.proxied != (account{}) {
		of, name = &h.proxies, ch.proxied.String()
	}
	*of = maps.Clone(*of)
	if ch.revokes {
		delete(*of, name)
	} else {
		(*of)[name] = ch.option
	}
}

func (h *holdings) take(o object, list []right) {
	for _, r := range list {
		delete(h.on[o], r)
	}
}

// takeIn takes rights in one database: what is granted everywhere is denied there.
func (h *holdings) takeIn(o object, list []right) {
	for _, r := range list {
		switch {
		case h.on[o][r]:
			delete(h.on[o], r)
		case h.on[object{name: everywhere}][r]:
			h.put(object{o.name, true}, r)
		}
	}
}

// giveIn gives rights in one database: where they are denied, they are not any more.
func (h *holdings) giveIn(o object, list []right) {
	for _, r := range list {
		if denied := (object{o.name, true}); h.on[denied][r] {
			delete(h.on[denied], r)
		} else if r.privilege != "USAGE" {
			h.put(o, r)
		}
	}
}

// giveEverywhere gives rights on everything. Whoever gets one by somebody to whom it is
// denied in a database is denied it there too, unless it was granted there.
func (h *holdings) giveEverywhere(list []right, by *holdings) {
	had := h.copied()
	for _, r := range list {
		if r.privilege == "USAGE" {
			continue
		}
		h.put(object{name: everywhere}, r)
		for _, d := range had.denials() {
			if !by.on[d][r] {
				delete(h.on[d], r)
			}
		}
		for _, d := range by.denials() {
			if by.on[d][r] && !had.on[object{name: everywhere}][r] && !had.on[object{name: d.name}][r] {
				h.put(d, r)
			}
		}
	}
}

// mayTakeEverywhere reports whether h may take rights on everything from an account: not
// if h is denied in a database what the account may do there.
func (h *holdings) mayTakeEverywhere(list []right, has *holdings) bool {
	if len(has.denials()) > 0 {
		for _, d := range h.denials() {
			if slices.ContainsFunc(list, func(r right) bool { return h.on[d][r] && !has.on[d][r] }) {
				return false
			}
		}
		return true
	}
	for _, d := range h.denials() {
		if !slices.ContainsFunc(list, func(r right) bool { return !h.on[d][r] }) {
			return false
		}
	}
	return true
}
