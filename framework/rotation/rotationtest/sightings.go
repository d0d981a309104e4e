package rotationtest

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"log"
	"os"
	"strings"
	"sync"
)

// sightings are the credentials that there have been.
type sightings struct {
	mu  sync.Mutex
	all map[string]bool
}

func (s *sightings) add(credential string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[string]bool{}
	}
	s.all[credential] = true
}

// in reports whether half of a credential, or more, is in text.
func (s *sightings) in(text string) bool {
	if text == "" {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for credential := range s.all {
		for _, form := range forms(credential) {
			if holdsHalf(text, form) {
				return true
			}
		}
	}
	return false
}

// forms are a credential as it is and in the encodings that hide it from the
// engine's redaction. Base64 differs by where in a longer text it begins.
func forms(credential string) []string {
	all := []string{credential, hex.EncodeToString([]byte(credential))}
	for before := range 3 {
		b := base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("x", before) + credential))
		b = b[min(4, len(b)):]
		all = append(all, b, strings.NewReplacer("-", "+", "_", "/").Replace(b))
	}
	return all
}

// shortest is the least part of a credential that is no coincidence.
const shortest = 8

func holdsHalf(text, form string) bool {
	n := max(shortest, len(form)/2)
	for i := 0; i+n <= len(form); i++ {
		if strings.Contains(text, form[i:i+n]) {
			return true
		}
	}
	return false
}

// captured runs f and returns what it wrote to standard output, standard error
// and the standard logger.
func captured(f func() error) (written string, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return "", err
	}
	var all bytes.Buffer
	done := make(chan error, 1)
	go func() { _, err := io.Copy(&all, r); done <- err }()
	func() {
		stdout, stderr, logger := os.Stdout, os.Stderr, log.Writer()
		defer func() { os.Stdout, os.Stderr = stdout, stderr; log.SetOutput(logger) }() // also when f ends the test
		os.Stdout, os.Stderr = w, w
		log.SetOutput(w)
		err = f()
	}()
	err = errors.Join(err, w.Close(), <-done, r.Close())
	return all.String(), err
}
