package functiontest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/local"
	"github.com/seed492efc12/rotor/local/rig"
)

// A Suspect is a server that must get no password, since nobody can tell which server it is.
type Suspect struct {
	// Name is the subtest's.
	Name string
	// Address is the server's host and port, on this machine.
	Address string
	// Env is what the function gets, such as CA_BUNDLE.
	Env map[string]string
	// Secret names a user of the server. Its host and port are replaced.
	Secret secret.Document
	// Says is a part of the error's message.
	Says string
	// Logins counts those that the server has seen. It may be nil.
	Logins func() (accepted, refused int)
}

// RunUntrusted checks that a function built at bootstrap ends with class TLS at each of the servers, and that no
// password was sent.
func RunUntrusted(t *testing.T, bootstrap string, servers []Suspect) {
	for _, c := range servers {
		t.Run(c.Name, func(t *testing.T) {
			h := Harness{Bootstrap: bootstrap, Address: c.Address, Env: c.Env}
			s := h.newStage(t, "single-user", -1)
			f := s.start(t, local.FunctionConfig{Timeout: patiently})
			arn, err := s.rig.CreateSecret(t.Context(), "user", string(s.located(t, c.Secret).Bytes()))
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.rig.Rotate(t.Context(), arn, f)
			if rig.ErrorType(err) != "Rotation.TLS" || !strings.Contains(fmt.Sprint(err), c.Says) {
				t.Errorf("got %v", err)
			}
			if c.Logins != nil {
				if accepted, refused := c.Logins(); accepted+refused != 0 {
					t.Errorf("the server saw %d logins", accepted+refused)
				}
			}
			secrets := append(s.rig.RotationTokens(), c.Secret.Text("password"))
			for _, line := range Find(f.Log()+fmt.Sprint(err), secrets...) {
				t.Errorf("a password or RotationToken was told: %s", line)
			}
		})
	}
}

// patiently is that of one that ends by itself.
const patiently = 15 * time.Second

// briefly is the time of a function that would try again until it is over: the engine tries two or three times in it,
// and what it ends with is said.
const briefly = 2 * time.Second
