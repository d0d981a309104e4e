package redistest

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"

	"github.com/seed492efc12/rotor/internal/servertest"
)

// Existing describes a server that runs already: see the package comment for the text. Closing it does nothing.
func Existing(text string) (*Server, error) {
	var d struct {
		Engine, Host, Username, Password string
		Port                             json.Number
		SSL                              *bool
	}
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return nil, fmt.Errorf("reading ROTOR_TEST_REDIS: %w", err)
	}
	s := &Server{product: d.Engine, Server: servertest.Server{
		Title: fmt.Sprintf("%s at %s", d.Engine, d.Host), Real: true, Host: d.Host, Port: 6379,
		AdminUser: d.Username, AdminPassword: d.Password, CountLogins: servertest.CountLogins,
	}}
	if d.SSL != nil && !*d.SSL {
		s.TLS = servertest.TLSOff
	}
	var err error
	if d.Port != "" {
		if s.Port, err = strconv.Atoi(d.Port.String()); err != nil {
			return nil, fmt.Errorf("reading the port in ROTOR_TEST_REDIS: %w", err)
		}
	}
	if path := os.Getenv("ROTOR_TEST_REDIS_CA"); path != "" {
		s.CA, err = os.ReadFile(path)
	}
	return s, err
}
