package serve

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/password"
)

// A config is the function's environment, checked. Where AWS's own rotation
// functions have a setting, name and meaning are theirs.
type config struct {
	authorities []byte // PEM
	password    password.Policy
	database    database.Config // what does not depend on the driver
}

// An environment reads settings and collects what is wrong with them.
type environment struct {
	get  func(string) string
	errs []error
}

// settings reads the environment. The error names every setting that is wrong.
func settings(getenv func(string) string) (config, error) {
	env := &environment{get: getenv}
	strategy, err := database.ParseStrategy(env.text("ROTATION_STRATEGY", "single-user"))
	env.check("ROTATION_STRATEGY", err)
	p := password.Default()
	c := config{
		authorities: env.bundle("CA_BUNDLE"),
		password: password.Policy{
			Length:             env.number("PASSWORD_LENGTH", 0),
			Exclude:            env.text("EXCLUDE_CHARACTERS", p.Exclude),
			ExcludeNumbers:     env.boolean("EXCLUDE_NUMBERS", false),
			ExcludePunctuation: env.boolean("EXCLUDE_PUNCTUATION", false),
			ExcludeUpper:       env.boolean("EXCLUDE_UPPERCASE", false),
			ExcludeLower:       env.boolean("EXCLUDE_LOWERCASE", false),
			RequireEach:        env.boolean("REQUIRE_EACH_INCLUDED_TYPE", p.RequireEach),
		},
		database: database.Config{
			Strategy:       strategy,
			CloneSuffix:    env.get("CLONE_SUFFIX"),
			MaxUser:        env.number("USERNAME_CHARACTER_LIMIT", 0),
			ConnectTimeout: time.Duration(env.number("CONNECT_TIMEOUT", 0)) * time.Second,
			Plaintext:      env.choice("TLS_FALLBACK", "none", "plaintext"),
			NoOverlap:      env.choice("PASSWORD_OVERLAP", "auto", "off"),
			GrantDrift:     env.choice("CLONE_DRIFT", "fail", "grant"),
			Adopt:          env.list("CLONE_ADOPT"),
		},
	}
	return c, errors.Join(env.errs...)
}

func (e *environment) check(name string, err error) {
	if err != nil {
		e.errs = append(e.errs, fmt.Errorf("%s: %w", name, err))
	}
}

func (e *environment) text(name, otherwise string) string {
	if v := e.get(name); v != "" {
		return v
	}
	return otherwise
}

// list reads names between commas.
func (e *environment) list(name string) []string {
	var names []string
	for name := range strings.SplitSeq(e.get(name), ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	return names
}

func (e *environment) number(name string, otherwise int) int {
	v := strings.TrimSpace(e.get(name))
	if v == "" {
		return otherwise
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 {
		e.check(name, fmt.Errorf("%q is not a whole number above 0", v))
	}
	return n
}

// boolean takes the words that AWS's functions take for true, their opposites,
// and nothing else.
func (e *environment) boolean(name string, otherwise bool) bool {
	switch v := strings.ToLower(strings.TrimSpace(e.get(name))); v {
	case "":
		return otherwise
	case "true", "1", "y", "yes":
		return true
	case "false", "0", "n", "no":
		return false
	default:
		e.check(name, fmt.Errorf("%q is neither true nor false", v))
		return otherwise
	}
}

// choice reports whether the setting is on rather than off, which is the
// default.
func (e *environment) choice(name, off, on string) bool {
	v := e.text(name, off)
	if v != off && v != on {
		e.check(name, fmt.Errorf("%q is neither %s nor %s", v, off, on))
	}
	return v == on
}

// bundle reads certificates: PEM text, or the path of a file of it.
func (e *environment) bundle(name string) []byte {
	v := e.get(name)
	if v == "" {
		return nil
	}
	if strings.Contains(v, "-----BEGIN") {
		return e.certificates(name, []byte(v))
	}
	pem, err := os.ReadFile(v)
	if err != nil {
		e.check(name, fmt.Errorf("%w: it is the path of a file of certificates in PEM form, or their text", err))
		return nil
	}
	return e.certificates(name, pem)
}

func (e *environment) certificates(name string, pem []byte) []byte {
	if !database.IsCertificates(pem) {
		e.check(name, errors.New("no certificate in PEM form was found"))
	}
	return pem
}
