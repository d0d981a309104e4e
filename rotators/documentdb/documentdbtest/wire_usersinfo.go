package documentdbtest

import (
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
)

func (s *session) usersInfo() (bson.D, error) {
	if err := s.fields(nil); err != nil {
		return nil, err
	}
	wanted, err := s.wanted(s.current.command[0].Value)
	if err != nil {
		return nil, err
	}
	list := bson.A{}
	for _, who := range wanted {
		if a := s.users[who]; a != nil {
			user := bson.D{
				{Key: "_id", Value: who.database + "." + who.name}, {Key: "user", Value: who.name}, {Key: "db", Value: who.database},
				{Key: "roles", Value: roleDocuments(a.roles)},
			}
			if s.release.tells {
				user = append(user, bson.E{Key: "mechanisms", Value: slices.Clone(a.mechanisms)})
			}
			list = append(list, user)
		}
	}
	return succeed(bson.E{Key: "users", Value: list}), nil
}

// wanted are the users that usersInfo is asked for, each of whom the session must be allowed to view. Anybody may view
// himself: MongoDB says so; DocumentDB's manual is silent.
func (s *session) wanted(argument any) ([]identity, error) {
	who := identity{database: home}
	switch v := argument.(type) {
	case string:
		who.name = v
	case bson.D:
		who.name, _ = get[string](v, "user")
	default:
		return nil, badValue("usersInfo of %T", v)
	}
	if who == s.user {
		return []identity{who}, nil
	}
	return []identity{who}, s.require("viewUser", home)
}

func roleDocuments(roles []identity) bson.A {
	list := bson.A{}
	for _, r := range roles {
		list = append(list, bson.D{{Key: "role", Value: r.name}, {Key: "db", Value: r.database}})
	}
	return list
}

func (s *session) connectionStatus() (bson.D, error) {
	if err := s.fields(nil); err != nil {
		return nil, err
	}
	who, roles := bson.A{}, bson.A{}
	if a := s.users[s.user]; a != nil {
		who = append(who, bson.D{{Key: "user", Value: s.user.name}, {Key: "db", Value: s.user.database}})
		roles = roleDocuments(s.inherited(a.roles))
	}
	return succeed(bson.E{Key: "authInfo", Value: bson.D{{Key: "authenticatedUsers", Value: who}, {Key: "authenticatedUserRoles", Value: roles}}}), nil
}
