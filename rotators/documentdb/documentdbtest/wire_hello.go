package documentdbtest

import (
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// hello answers what a client asks first. DocumentDB is taken not to know of speculative authentication, nor of
// saslSupportedMechs, so that clients fall back to SCRAM-SHA-1.
func (s *session) hello() (bson.D, error) {
	primary := !s.isSecondary()
	answer := bson.D{
		{Key: "ismaster", Value: primary}, {Key: "isWritablePrimary", Value: primary}, {Key: "helloOk", Value: true},
		{Key: "maxBsonObjectSize", Value: int32(16 << 20)}, {Key: "maxMessageSizeBytes", Value: int32(maxMessage)}, {Key: "maxWriteBatchSize", Value: int32(100000)},
		{Key: "localTime", Value: bson.NewDateTimeFromTime(time.Now())}, {Key: "logicalSessionTimeoutMinutes", Value: int32(30)},
		{Key: "minWireVersion", Value: int32(0)}, {Key: "maxWireVersion", Value: int32(13)}, {Key: "readOnly", Value: false},
	}
	if s.config.ReplicaSet {
		answer = append(answer, bson.E{Key: "setName", Value: replicaSet}, bson.E{Key: "secondary", Value: !primary})
	}
	return succeed(answer...), nil
}
