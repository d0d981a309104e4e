package documentdbtest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"

	"go.mongodb.org/mongo-driver/v2/bson"

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
		Real: true, Host: d.Host, Port: 27017,
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
	return s, s.describe()
}

// describe asks a running server for its version.
func (s *Server) describe() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	info, err := s.Run(ctx, "admin", bson.D{{Key: "buildInfo", Value: 1}})
	if err != nil {
		return fmt.Errorf("trying the server of ROTOR_TEST_DOCUMENTDB: %w", err)
	}
	s.Version, _ = info["version"].(string)
	product := map[string]string{"documentdb": "DocumentDB"}[s.Engine]
	s.Title = fmt.Sprintf("%s %s at %s", cmp.Or(product, "MongoDB"), s.Version, s.Host)
	return nil
}
