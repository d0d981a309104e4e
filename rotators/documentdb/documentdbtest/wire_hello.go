package documentdbtest

import (
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// hello answers what a client asks first. DocumentDB is taken not to know of speculative authentication.
func (s *session) hello() (bson.D, error) {
	primary := !s.isSecondary()
	wire := s.config.Wire
	if wire == [2]int32{} {
		wire[1] = s.release.wire
	}
	writable := "ismaster"
	if s.current.command[0].Key == "hello" {
		writable = "isWritablePrimary"
	}
	answer := bson.D{
		{Key: writable, Value: primary}, {Key: "maxBsonObjectSize", Value: int32(16 << 20)}, {Key: "maxMessageSizeBytes", Value: int32(maxMessage)},
		{Key: "maxWriteBatchSize", Value: int32(100000)}, {Key: "localTime", Value: bson.NewDateTimeFromTime(time.Now())},
		{Key: "minWireVersion", Value: wire[0]}, {Key: "maxWireVersion", Value: wire[1]}, {Key: "readOnly", Value: false},
	}
	if s.release.hello {
		answer = append(answer, bson.E{Key: "helloOk", Value: true})
	}
	if s.release.sessions {
		answer = append(answer, bson.E{Key: "logicalSessionTimeoutMinutes", Value: int32(30)})
	}
	if s.config.ReplicaSet {
		answer = append(answer, bson.E{Key: "setName", Value: replicaSet}, bson.E{Key: "secondary", Value: !primary})
	}
	return succeed(append(answer, s.offers()...)...), nil
}

// buildInfo tells the version that it claims to be.
func (s *session) buildInfo() (bson.D, error) {
	return succeed(bson.E{Key: "version", Value: s.release.version}), nil
}

// offers are the mechanisms of the user whom a client asks about, so that it takes one of them.
func (s *session) offers() bson.D {
	who, _ := get[string](s.current.command, "saslSupportedMechs")
	database, name, _ := strings.Cut(who, ".")
	a := s.users[identity{name, database}]
	if a == nil || !s.release.mechanisms {
		return nil
	}
	return bson.D{{Key: "saslSupportedMechs", Value: slices.Clone(a.mechanisms)}}
}
