package documentdbtest

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
)

// Existing describes a server that runs already: see the package comment for the text.
func Existing(text string) (*Server, error) {
	var d struct {
		Engine, Host, Username, Password, AuthSource, ReplicaSet, SSL, CAFile string
		Port                                                                  json.Number
	}
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return nil, fmt.Errorf("reading ROTOR_TEST_DOCUMENTDB: %w", err)
	}
	s := &Server{
		Engine: d.Engine, Host: d.Host, Port: 27017, AdminUser: d.Username, AdminPassword: d.Password, AuthSource: "admin",
		ReplicaSet: d.ReplicaSet, Real: true, origin: d.Engine + " (real, at " + d.Host + ")", plain: d.SSL == "false",
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
