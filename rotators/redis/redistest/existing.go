package redistest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/gomodule/redigo/redis"

	"github.com/seed492efc12/rotor/internal/servertest"
)

// Existing describes a server that runs already, and asks it for its version: see the package comment for the text. Closing
// it does nothing.
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
		if s.CA, err = os.ReadFile(path); err != nil {
			return nil, err
		}
	}
	if err := s.describe(); err != nil {
		return nil, fmt.Errorf("asking the server that ROTOR_TEST_REDIS names: %w", err)
	}
	return s, nil
}

// describe asks the server what it is, and of which version. Valkey says both beside what it says of itself as Redis.
func (s *Server) describe() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	text, err := redis.String(s.Do(ctx, s.Port, "INFO", "server"))
	if err != nil {
		return err
	}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if product, is := strings.CutSuffix(name, "_version"); is && titles[product] != "" && (s.Version == "" || product == Valkey) {
			s.Version, s.Title = value, fmt.Sprintf("%s %s at %s", titles[product], value, s.Host)
		}
	}
	return nil
}
