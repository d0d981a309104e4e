package documentdbtest

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
		Engine, Host, Username, Password, AuthSource, ReplicaSet, SSL, CAFile string
		Port                                                                  json.Number
	}
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return nil, fmt.Errorf("reading ROTOR_TEST_DOCUMENTDB: %w", err)
	}
	s := &Server{Engine: d.Engine, AuthSource: "admin", ReplicaSet: d.ReplicaSet, Server: servertest.Server{
		Title: fmt.Sprintf("%s at %s", d.Engine, d.Host), Real: true, Host: d.Host, Port: 27017,
		AdminUser: d.Username, AdminPassword: d.Password, CountLogins: countLogins,
	}}
	if d.SSL == "false" {
		s.TLS = servertest.TLSOff
	}
	if d.AuthSource != "" {
		s.AuthSource = d.AuthSource
	}
	if d.Port != "" {
		port, err := strconv.Atoi(d.Port.String())
		if err != nil {
			return nil, fmt.Errorf("reading the port in ROTOR_TEST_DOCUMENTDB: %w", err)
		}
		s.Port = port
	}
	if d.CAFile != "" {
		pem, err := os.ReadFile(d.CAFile)
		if err != nil {
			return nil, fmt.Errorf("reading the caFile of ROTOR_TEST_DOCUMENTDB: %w", err)
		}
		s.CA = pem
	}
	return s, nil
}
