package documentdbtest

import (
	"github.com/xdg-go/scram"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// saslStart starts a SCRAM conversation (RFC 5802) about a user of a database.
func (s *session) saslStart() (bson.D, error) {
	mechanism, _ := get[string](s.current.command, "mechanism")
	payload, _ := get[bson.Binary](s.current.command, "payload")
	hash, ok := hashes()[mechanism]
	if !ok {
		return nil, fail(334, "MechanismUnavailable", "Received authentication for mechanism %s which is not enabled", mechanism)
	}
	server, err := hash.NewServer(func(name string) (scram.StoredCredentials, error) {
		s.claims = identity{name, s.current.database}
		if a := s.users[s.claims]; a != nil {
			if keys, ok := a.keys[mechanism]; ok {
				return keys, nil
			}
		}
		return scram.StoredCredentials{}, errAuthentication
	})
	if err != nil {
		return nil, badValue("%v", err)
	}
	s.conversation = server.NewConversation()
	return s.step(payload.Data)
}

func (s *session) saslContinue() (bson.D, error) {
	if s.conversation == nil {
		return nil, fail(17, "ProtocolError", "No SASL session state found")
	}
	payload, _ := get[bson.Binary](s.current.command, "payload")
	return s.step(payload.Data)
}

// step goes on with the conversation, and ends it with a login or without.
func (s *session) step(payload []byte) (bson.D, error) {
	out, err := s.conversation.Step(string(payload))
	if err != nil {
		s.conversation = nil
		s.note(idRefused, attributes{User: s.claims.name})
		return nil, errAuthentication
	}
	done := s.conversation.Done()
	if done {
		s.conversation = nil
		s.user = s.claims
		s.note(idAccepted, attributes{User: s.user.name})
	}
	return succeed(bson.E{Key: "conversationId", Value: int32(1)}, bson.E{Key: "done", Value: done},
		bson.E{Key: "payload", Value: bson.Binary{Data: []byte(out)}}), nil
}
