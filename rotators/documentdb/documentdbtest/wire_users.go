package documentdbtest

import (
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// home is where DocumentDB keeps all of them ("Managing Amazon DocumentDB users").
const home = "admin"

// fields checks that a command has known fields alone, and the required ones. Some are generic: drivers add them. What
// DocumentDB answers to others is known from issue 575 of community.mongodb on GitHub.
func (s *session) fields(required []string, known ...string) error {
	known = append(append(known, required...), "comment", "maxTimeMS")
	if s.release.sessions {
		known = append(known, "lsid")
	}
	if !s.release.mechanisms {
		known = slices.DeleteFunc(known, func(field string) bool { return field == "mechanisms" })
	}
	name := s.current.command[0].Key
	for _, e := range s.current.command[1:] {
		if !strings.HasPrefix(e.Key, "$") && !slices.Contains(known, e.Key) {
			return badValue("%q is not a valid argument to %s", e.Key, name)
		}
	}
	for _, field := range required {
		if !has(s.current.command, field) {
			return fail(40414, "Location40414", "BSON field '%s.%s' is missing but a required field", name, field)
		}
	}
	return nil
}

// named reads the user that a command is about.
func (s *session) named() identity { return identity{s.argument(), home} }

// roleList reads roles: names in the command's database, or names with one, each once. They must exist.
func (s *session) roleList() (roles []identity, err error) {
	for _, r := range s.namedRoles() {
		if !s.roleExists(r) {
			return nil, notFound(r)
		}
		if !slices.Contains(roles, r) {
			roles = append(roles, r)
		}
	}
	return roles, nil
}

// namedRoles are those that a command names.
func (s *session) namedRoles() (roles []identity) {
	list, _ := get[bson.A](s.current.command, "roles")
	for _, v := range list {
		r := identity{database: s.current.database}
		switch v := v.(type) {
		case string:
			r.name = v
		case bson.D:
			r.name, _ = get[string](v, "role")
			r.database, _ = get[string](v, "db")
		}
		roles = append(roles, r)
	}
	return roles
}

func texts(d bson.D, field string) (all []string) {
	list, _ := get[bson.A](d, field)
	for _, v := range list {
		if text, ok := v.(string); ok {
			all = append(all, text)
		}
	}
	return all
}

// mechanisms are those that a command names, or else all that there are.
func (s *session) mechanisms() ([]string, error) {
	if !has(s.current.command, "mechanisms") {
		return s.release.usual(), nil
	}
	all := texts(s.current.command, "mechanisms")
	if len(all) == 0 {
		return nil, badValue("mechanisms field must not be empty")
	}
	for _, m := range all {
		if _, ok := hashes()[m]; !ok {
			return nil, badValue("Unknown auth mechanism '%s'", m)
		}
	}
	return all, nil
}

func (s *session) createUser() (bson.D, error) {
	if err := s.fields([]string{"roles"}, "pwd", "mechanisms"); err != nil {
		return nil, err
	}
	if err := s.require("createUser", home); err != nil {
		return nil, err
	}
	if err := s.mayMove("grantRole"); err != nil {
		return nil, err
	}
	who := s.named()
	if who.name == "" {
		return nil, badValue("User document needs 'user' field to be non-empty")
	}
	password, err := s.password()
	if err != nil {
		return nil, err
	}
	mechanisms, err := s.mechanisms()
	if err != nil {
		return nil, err
	}
	roles, err := s.roleList()
	if err != nil {
		return nil, err
	}
	if s.users[who] != nil {
		return nil, fail(51003, "Location51003", "User \"%s@%s\" already exists", who.name, who.database)
	}
	a := &account{roles: roles}
	if err := secure(a, who.name, password, mechanisms); err != nil {
		return nil, err
	}
	s.users[who] = a
	return succeed(), nil
}

// password is the one that a command sets.
func (s *session) password() (string, error) {
	password, ok := get[string](s.current.command, "pwd")
	if !ok {
		return "", badValue("Must provide a 'pwd' field for all user documents, except those with '$external' as the user's source db")
	}
	return password, acceptable(password)
}

// account finds the user that a command is about.
func (s *session) account() (*account, error) {
	who := s.named()
	a := s.users[who]
	if a == nil {
		return nil, fail(11, "UserNotFound", "User %s@%s not found", who.name, who.database)
	}
	return a, nil
}

func (s *session) updateUser() (bson.D, error) {
	if err := s.fields(nil, "pwd", "roles", "mechanisms"); err != nil {
		return nil, err
	}
	if err := s.mayUpdate(); err != nil {
		return nil, err
	}
	if !has(s.current.command, "pwd") && !has(s.current.command, "roles") {
		return nil, badValue("Must specify at least one field to update in updateUser")
	}
	roles, err := s.roleList()
	if err != nil {
		return nil, err
	}
	mechanisms, err := s.mechanisms()
	if err != nil {
		return nil, err
	}
	password, err := "", error(nil)
	if has(s.current.command, "pwd") {
		if password, err = s.password(); err != nil {
			return nil, err
		}
	}
	a, err := s.account()
	if err != nil {
		return nil, err
	}
	if has(s.current.command, "roles") {
		a.roles = roles
	}
	if password == "" {
		return succeed(), nil
	}
	return succeed(), secure(a, s.argument(), password, mechanisms)
}

// mayUpdate checks the privileges for a password, be it the user's own, and for a list of roles.
func (s *session) mayUpdate() error {
	if has(s.current.command, "pwd") {
		if err := s.require("changePassword", home); err != nil {
			return err
		}
	}
	if !has(s.current.command, "roles") {
		return nil
	}
	if err := s.requireOn("revokeRole", resource{}); err != nil { // on all databases
		return err
	}
	return s.mayMove("grantRole")
}

func (s *session) dropUser() (bson.D, error) {
	if err := s.require("dropUser", home); err != nil {
		return nil, err
	}
	_, err := s.account()
	delete(s.users, s.named())
	return succeed(), err
}

func (s *session) grantRoles() (bson.D, error) {
	return s.moveRoles("grantRole", func(has, roles []identity) []identity {
		for _, r := range roles {
			if !slices.Contains(has, r) {
				has = append(has, r)
			}
		}
		return has
	})
}

func (s *session) revokeRoles() (bson.D, error) {
	return s.moveRoles("revokeRole", func(has, roles []identity) []identity {
		return slices.DeleteFunc(has, func(r identity) bool { return slices.Contains(roles, r) })
	})
}

func (s *session) moveRoles(action string, change func(has, roles []identity) []identity) (bson.D, error) {
	if err := s.fields([]string{"roles"}); err != nil {
		return nil, err
	}
	if err := s.mayMove(action); err != nil {
		return nil, err
	}
	if len(s.namedRoles()) == 0 {
		return nil, badValue("%s command requires a non-empty \"roles\" array", s.current.command[0].Key)
	}
	a, err := s.account()
	if err != nil {
		return nil, err
	}
	roles, err := s.roleList()
	if err != nil {
		return nil, err
	}
	a.roles = change(slices.Clone(a.roles), roles)
	return succeed(), nil
}

// mayMove checks that the session may grant or revoke the roles, each on the role's own database.
func (s *session) mayMove(action string) error {
	for _, r := range s.namedRoles() {
		if err := s.require(action, r.database); err != nil {
			return err
		}
	}
	return nil
}
