package documentdbtest

import (
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// fields checks that a command has known ones alone. The generic ones are those that drivers add.
func (s *session) fields(known ...string) error {
	known = append(known, "lsid", "comment", "maxTimeMS")
	if s.config.Flavour == MongoDB {
		known = append(known, "writeConcern")
	}
	for _, e := range s.current.command[1:] {
		if !strings.HasPrefix(e.Key, "$") && !slices.Contains(known, e.Key) {
			return fail(40415, "Location40415", "BSON field '%s.%s' is an unknown field.", s.current.command[0].Key, e.Key)
		}
	}
	return nil
}

// settings are the fields of createUser and updateUser.
func (s *session) settings() error {
	if s.config.Flavour == DocumentDB {
		return s.fields("pwd", "roles", "mechanisms")
	}
	return s.fields("pwd", "roles", "mechanisms", "customData", "authenticationRestrictions")
}

// named reads the user that a command is about. DocumentDB has all of them in one database.
func (s *session) named() identity {
	return identity{s.argument(), s.userDatabase(s.current.database)}
}

func (s *session) userDatabase(database string) string {
	if s.config.Flavour == DocumentDB {
		return "admin"
	}
	return database
}

// roleList reads roles: names in the command's database, or names with one. They must exist.
func (s *session) roleList(field string) (roles []identity, given bool, err error) {
	list, given := get[bson.A](s.current.command, field)
	for _, v := range list {
		r := identity{database: s.current.database}
		switch v := v.(type) {
		case string:
			r.name = v
		case bson.D:
			r.name, _ = get[string](v, "role")
			r.database, _ = get[string](v, "db")
		}
		if !s.roleExists(r) {
			return nil, true, fail(31, "RoleNotFound", "Could not find role: %s@%s", r.name, r.database)
		}
		roles = append(roles, r)
	}
	return roles, given, nil
}

func (s *session) createUser() (bson.D, error) {
	who, d := s.named(), s.current.command
	roles, given, err := s.roleList("roles")
	switch {
	case err != nil:
		return nil, err
	case !given:
		return nil, fail(40414, "Location40414", "BSON field 'createUser.roles' is missing but a required field")
	}
	if err := s.settings(); err != nil {
		return nil, err
	}
	if err := s.require("createUser", resource{db: who.database}); err != nil {
		return nil, err
	}
	if err := s.mayMove("grantRole", roles); err != nil {
		return nil, err
	}
	if s.users[who] != nil {
		return nil, fail(51003, "Location51003", "User \"%s@%s\" already exists", who.name, who.database)
	}
	password, _ := get[string](d, "pwd")
	if err := s.acceptable(password); err != nil {
		return nil, err
	}
	a := &account{roles: roles}
	if err := s.secure(a, who.name, password, texts(d, "mechanisms")); err != nil {
		return nil, err
	}
	if err := s.adjust(a, who.database); err != nil {
		return nil, err
	}
	s.users[who] = a
	return succeed(), nil
}

// adjust sets what an account has besides its password and its roles. To say it takes the privilege, even if it is what
// the account has.
func (s *session) adjust(a *account, database string) error {
	d := s.current.command
	if list, ok := get[bson.A](d, "authenticationRestrictions"); ok {
		if err := s.require("setAuthenticationRestriction", resource{db: database}); err != nil {
			return err
		}
		a.restrictions = list
	}
	if data, ok := get[any](d, "customData"); ok {
		a.customData = data
	}
	return nil
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

// account finds the user that a command is about.
func (s *session) account() (*account, identity, error) {
	who := s.named()
	a := s.users[who]
	if a == nil {
		return nil, who, fail(11, "UserNotFound", "User %s@%s not found", who.name, who.database)
	}
	return a, who, nil
}

func (s *session) updateUser() (bson.D, error) {
	if err := s.settings(); err != nil {
		return nil, err
	}
	who, d := s.named(), s.current.command
	password, hasPassword := get[string](d, "pwd")
	if err := s.mayUpdate(who, hasPassword); err != nil {
		return nil, err
	}
	roles, hasRoles, err := s.roleList("roles")
	if err != nil {
		return nil, err
	}
	if hasRoles {
		if err := s.require("revokeRole", resource{}); err != nil { // on all databases
			return nil, err
		}
		if err := s.mayMove("grantRole", roles); err != nil {
			return nil, err
		}
	}
	a, who, err := s.account()
	if err != nil {
		return nil, err
	}
	changed := *a
	if hasRoles {
		changed.roles = roles
	}
	if hasPassword {
		if err := s.acceptable(password); err != nil {
			return nil, err
		}
		if err := s.secure(&changed, who.name, password, texts(d, "mechanisms")); err != nil {
			return nil, err
		}
	}
	if err := s.adjust(&changed, who.database); err != nil {
		return nil, err
	}
	*a = changed
	return succeed(), nil
}

// mayUpdate checks the privileges for a password and custom data, which a user may have for itself.
func (s *session) mayUpdate(who identity, password bool) error {
	for _, need := range []struct {
		asked    bool
		own, any string
	}{{password, "changeOwnPassword", "changePassword"}, {has(s.current.command, "customData"), "changeOwnCustomData", "changeCustomData"}} {
		on := resource{db: who.database}
		if need.asked && !s.may(need.any, on) && (who != s.user || !s.may(need.own, on)) {
			return unauthorized("not authorized on %s to execute command updateUser: %s", who.database, need.any)
		}
	}
	return nil
}

func (s *session) dropUser() (bson.D, error) {
	_, who, err := s.account()
	if err != nil {
		return nil, err
	}
	if err := s.require("dropUser", resource{db: who.database}); err != nil {
		return nil, err
	}
	delete(s.users, who)
	return succeed(), nil
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
	if err := s.fields("roles"); err != nil {
		return nil, err
	}
	roles, _, err := s.roleList("roles")
	if err != nil {
		return nil, err
	}
	if err := s.mayMove(action, roles); err != nil {
		return nil, err
	}
	a, _, err := s.account()
	if err != nil {
		return nil, err
	}
	a.roles = change(slices.Clone(a.roles), roles)
	return succeed(), nil
}

// mayMove checks that the session may grant or revoke roles, each on the role's own database.
func (s *session) mayMove(action string, roles []identity) error {
	for _, r := range roles {
		if err := s.require(action, resource{db: r.database}); err != nil {
			return err
		}
	}
	return nil
}
