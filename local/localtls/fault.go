package localtls

import (
	"fmt"
	"time"
)

// A Fault is what is wrong with a server's certificate.
type Fault int

// The faults that a client has to find, each alone in an otherwise good certificate.
const (
	NoFault   Fault = iota
	Expired         // the time is past
	WrongName       // it is for another host, [Elsewhere]
	OtherCA         // an authority signed it that the client does not know, though its name is the same
)

// Elsewhere is the only host that a certificate with the fault WrongName is good for (RFC 6761: it resolves nowhere).
const Elsewhere = "elsewhere.invalid"

// Faulty makes a certificate for hosts with one fault.
func (ca *CA) Faulty(fault Fault, hosts ...string) (Certificate, error) {
	switch fault {
	case NoFault:
		return ca.Server(hosts...)
	case Expired:
		return ca.issue(hosts, time.Now().Add(-time.Hour))
	case WrongName:
		return ca.Server(Elsewhere)
	case OtherCA:
		other, err := New()
		if err != nil {
			return Certificate{}, err
		}
		return other.Server(hosts...)
	}
	return Certificate{}, fmt.Errorf("unknown certificate fault %d", fault)
}
