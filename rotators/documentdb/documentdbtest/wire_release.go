package documentdbtest

// A release is what a version of DocumentDB has and another one lacks.
type release struct {
	version string
	// wire is the highest wire version that it says. Clients that want a higher one have told of those of 3.6 and 4.0,
	// by the error with which they refuse to go on.
	wire int32
	// hello is the command of that name. Before 5.0, the older isMaster alone is sure to be there.
	hello bool
	// sessions came with 4.0 ("Transactions in Amazon DocumentDB").
	sessions bool
	// mechanisms can be named, and are two, from 5.0.1 on ("Authentication using SCRAM-SHA-256").
	mechanisms bool
	// tells of mechanisms in usersInfo: nobody has written down whether it does before that. So 4.0 does here, 3.6 not.
	tells bool
}

func releases() map[string]release {
	return map[string]release{
		"3.6": {version: "3.6.0", wire: 6},
		"4.0": {version: "4.0.0", wire: 7, sessions: true, tells: true},
		"5.0": {version: "5.0.0", wire: 13, hello: true, sessions: true, mechanisms: true, tells: true},
	}
}

// usual are the mechanisms of a user for whom none are named.
func (r release) usual() []string {
	if r.mechanisms {
		return []string{"SCRAM-SHA-1", "SCRAM-SHA-256"}
	}
	return []string{"SCRAM-SHA-1"}
}
