package documentdbtest

import (
	"errors"
	"net/netip"

	"github.com/xdg-go/scram"
	"go.mongodb.org/mongo-driver/v2/bson"
)

func (s *session) saslStart() (bson.D, error) {
	answer, err := s.begin(s.current.command, s.current.database)
	if errors.Is(err, errAuthentication) {
		s.refused()
	}
	return answer, err
}

// begin starts a SCRAM conversation (RFC 5802) about a user of a database.
func (s *session) begin(start bson.D, database string) (bson.D, error) {
	mechanism, _ := get[string](start, "mechanism")
	payload, _ := get[bson.Binary](start, "payload")
	hash, ok := hashes()[mechanism]
	if !ok {
		return nil, fail(334, "MechanismUnavailable", "Received authentication for mechanism %s which is unknown or not enabled", mechanism)
	}
	server, err := hash.NewServer(func(name string) (scram.StoredCredentials, error) {
		s.claims = identity{name, database}
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
	payload, ok := get[bson.Binary](s.current.command, "payload")
	if !ok || s.conversation == nil {
		return nil, fail(17, "ProtocolError", "No SASL session state found")
	}
	answer, err := s.step(payload.Data)
	if err != nil {
		s.refused()
	}
	return answer, err
}

// step goes on with the conversation, and ends it with a login or without.
func (s *session) step(payload []byte) (bson.D, error) {
	out, err := s.conversation.Step(string(payload))
	if err != nil {
		return nil, errAuthentication
	}
	done := s.conversation.Done()
	if done {
		s.conversation = nil
		if !s.welcome() {
			return nil, errAuthentication
		}
		s.user = s.claims
		s.log.add(Entry{Member: s.member, User: s.user.name, Database: s.user.database, Command: loginAccepted})
	}
	return succeed(bson.E{Key: "conversationId", Value: int32(1)}, bson.E{Key: "done", Value: done},
		bson.E{Key: "payload", Value: bson.Binary{Data: []byte(out)}}), nil
}

func (s *session) refused() {
	s.log.add(Entry{Member: s.member, User: s.claims.name, Database: s.claims.database, Command: loginRefused})
}

// welcome checks the user's authentication restrictions: the client's address must be in one of them.
func (s *session) welcome() bool {
	a := s.users[s.claims]
	if a == nil || len(a.restrictions) == 0 {
		return a != nil
	}
	client, err := netip.ParseAddrPort(s.raw.RemoteAddr().String())
	if err != nil {
		return false
	}
	for _, r := range a.restrictions {
		sources, _ := get[bson.A](r.(bson.D), "clientSource")
		if len(sources) == 0 {
			return true
		}
		for _, source := range sources {
			if covers(source.(string), client.Addr()) {
				return true
			}
		}
	}
	return false
}

// covers tells whether an address is the given one, or in the given range.
func covers(source string, client netip.Addr) bool {
	if network, err := netip.ParsePrefix(source); err == nil {
		return network.Contains(client)
	}
	address, err := netip.ParseAddr(source)
	return err == nil && address == client
}
