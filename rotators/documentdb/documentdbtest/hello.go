package documentdbtest

import (
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// hello answers what a client asks first, and begins the login with it if the client offers to (speculative
// authentication). DocumentDB is taken not to know of that, nor of saslSupportedMechs, so that clients fall back to
// SCRAM-SHA-1.
func (s *session) hello() (bson.D, error) {
	primary := s.member == s.primary
	wire := int32(21) // MongoDB 7.0
	if s.config.Flavour == DocumentDB {
		wire = 13 // 5.0
	}
	answer := bson.D{
		{Key: "ismaster", Value: primary}, {Key: "isWritablePrimary", Value: primary}, {Key: "helloOk", Value: true},
		{Key: "maxBsonObjectSize", Value: int32(16 << 20)}, {Key: "maxMessageSizeBytes", Value: int32(maxMessage)}, {Key: "maxWriteBatchSize", Value: int32(100000)},
		{Key: "localTime", Value: bson.NewDateTimeFromTime(time.Now())}, {Key: "logicalSessionTimeoutMinutes", Value: int32(30)},
		{Key: "minWireVersion", Value: int32(0)}, {Key: "maxWireVersion", Value: wire}, {Key: "readOnly", Value: false},
	}
	if s.config.ReplicaSet {
		answer = append(answer, bson.E{Key: "setName", Value: replicaSet}, bson.E{Key: "setVersion", Value: int32(1)},
			bson.E{Key: "secondary", Value: !primary}, bson.E{Key: "hosts", Value: s.members},
			bson.E{Key: "primary", Value: s.members[s.primary]}, bson.E{Key: "me", Value: s.members[s.member]})
	}
	if s.config.Flavour == MongoDB {
		answer = append(answer, s.negotiate()...)
	}
	return succeed(answer...), nil
}

// negotiate answers the parts of hello that are about the login.
func (s *session) negotiate() (answer bson.D) {
	if who, ok := get[string](s.current.command, "saslSupportedMechs"); ok {
		database, name, _ := strings.Cut(who, ".")
		if a := s.users[identity{name, database}]; a != nil {
			answer = append(answer, bson.E{Key: "saslSupportedMechs", Value: slices.Clone(a.mechanisms)})
		}
	}
	if start, ok := get[bson.D](s.current.command, "speculativeAuthenticate"); ok {
		database, _ := get[string](start, "db")
		if reply, err := s.begin(start, database); err == nil {
			answer = append(answer, bson.E{Key: "speculativeAuthenticate", Value: reply[:len(reply)-1]})
		}
	}
	return answer
}

func (s *session) buildInfo() (bson.D, error) {
	version := "7.0.14"
	if s.config.Flavour == DocumentDB {
		version = "5.0.0"
	}
	return succeed(bson.E{Key: "version", Value: version}), nil
}
