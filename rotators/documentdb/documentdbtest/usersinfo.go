package documentdbtest

import (
	"cmp"
	"maps"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
)

func (s *session) usersInfo() (bson.D, error) {
	known := []string{"showCredentials", "showPrivileges", "showCustomData", "showAuthenticationRestrictions", "filter"}
	if s.config.Flavour == DocumentDB {
		known = nil
	}
	if err := s.fields(known...); err != nil {
		return nil, err
	}
	wanted, err := s.wanted(s.current.command[0].Value)
	if err != nil {
		return nil, err
	}
	filter, _ := get[bson.D](s.current.command, "filter")
	restrictions, _ := get[bool](s.current.command, "showAuthenticationRestrictions")
	list := bson.A{}
	for _, who := range wanted {
		name, filtered := get[string](filter, "user")
		if a := s.users[who]; a != nil && (!filtered || name == who.name) {
			list = append(list, describe(who, a, restrictions))
		}
	}
	return succeed(bson.E{Key: "users", Value: list}), nil
}

// wanted are the users that usersInfo is asked for, each of whom the session must be allowed to view.
func (s *session) wanted(argument any) (users []identity, err error) {
	switch v := argument.(type) {
	case string:
		users = []identity{{v, s.userDatabase(s.current.database)}}
	case bson.D:
		if all, _ := get[bool](v, "forAllDBs"); all {
			users = slices.SortedFunc(maps.Keys(s.users), func(a, b identity) int {
				return cmp.Or(cmp.Compare(a.database, b.database), cmp.Compare(a.name, b.name))
			})
			return users, s.require("viewUser", resource{cluster: true})
		}
		name, _ := get[string](v, "user")
		database, _ := get[string](v, "db")
		users = []identity{{name, s.userDatabase(database)}}
	case bson.A:
		for _, one := range v {
			more, err := s.wanted(one)
			if err != nil {
				return nil, err
			}
			users = append(users, more...)
		}
		return users, nil
	default:
		return nil, badValue("usersInfo of %T", v)
	}
	if users[0] != s.user { // anybody may view himself
		err = s.require("viewUser", resource{db: users[0].database})
	}
	return users, err
}

func describe(who identity, a *account, restrictions bool) bson.D {
	d := bson.D{
		{Key: "_id", Value: who.database + "." + who.name}, {Key: "user", Value: who.name}, {Key: "db", Value: who.database},
		{Key: "roles", Value: roleDocuments(a.roles)}, {Key: "mechanisms", Value: slices.Clone(a.mechanisms)},
	}
	if a.customData != nil {
		d = append(d, bson.E{Key: "customData", Value: a.customData})
	}
	if restrictions {
		d = append(d, bson.E{Key: "authenticationRestrictions", Value: append(bson.A{}, a.restrictions...)})
	}
	return d
}

func roleDocuments(roles []identity) bson.A {
	list := bson.A{}
	for _, r := range roles {
		list = append(list, bson.D{{Key: "role", Value: r.name}, {Key: "db", Value: r.database}})
	}
	return list
}

func (s *session) connectionStatus() (bson.D, error) {
	known := []string{"showPrivileges"}
	if s.config.Flavour == DocumentDB {
		known = nil
	}
	if err := s.fields(known...); err != nil {
		return nil, err
	}
	users, roles := bson.A{}, bson.A{}
	if a := s.users[s.user]; a != nil {
		users = append(users, bson.D{{Key: "user", Value: s.user.name}, {Key: "db", Value: s.user.database}})
		roles = roleDocuments(s.inherited(a.roles))
	}
	info := bson.D{{Key: "authenticatedUsers", Value: users}, {Key: "authenticatedUserRoles", Value: roles}}
	if show, _ := get[bool](s.current.command, "showPrivileges"); show {
		info = append(info, bson.E{Key: "authenticatedUserPrivileges", Value: s.privilegeDocuments()})
	}
	return succeed(bson.E{Key: "authInfo", Value: info}), nil
}
