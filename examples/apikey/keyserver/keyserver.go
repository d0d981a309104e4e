// Package keyserver is a small HTTP service with API keys, for the example to
// rotate:
//
//	GET    /whoami         whose key the request carries
//	GET    /keys           the digests of that client's live keys, oldest first
//	PUT    /keys/{digest}  makes the key with that digest live, once
//	DELETE /keys/{digest}  revokes the key with that digest, if it is live
//
// A request carries its key as "Authorization: Bearer KEY". The service knows
// keys by their SHA-256 digests alone: a client makes a key by itself and says
// its digest, and the key is seen by nobody before it is used. A client has
// [MaxKeys] live keys at most.
package keyserver

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// MaxKeys is how many live keys a client may have: the one in use, and the one
// before or after it.
const MaxKeys = 2

// A Server is the service, as an [http.Handler]. It keeps everything in memory.
// The zero Server has no clients. It is safe for concurrent use.
type Server struct {
	mu      sync.Mutex
	live    map[string][]string // client -> digests, oldest first
	refused int
}

// Digest is what the service knows of a key.
func Digest(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// Add adds a client with one key.
func (s *Server) Add(client, key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live == nil {
		s.live = map[string][]string{}
	}
	s.live[client] = []string{Digest(key)}
}

// Accepts reports whether key is live and the client's.
func (s *Server) Accepts(client, key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Contains(s.live[client], Digest(key))
}

// State tells the live keys of all clients, by their digests.
func (s *Server) State() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprint(s.live) // a map prints in the order of its keys
}

// Refused counts the requests with a key that was not live.
func (s *Server) Refused() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key, _ := strings.CutPrefix(q.Header.Get("Authorization"), "Bearer ")
	client, ok := s.client(Digest(key))
	if !ok {
		s.refused++
		http.Error(w, "no such key", http.StatusUnauthorized)
		return
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /whoami", func(w http.ResponseWriter, _ *http.Request) { answer(w, Answer{Client: client}) })
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, Answer{Client: client, Keys: s.live[client]})
	})
	mux.HandleFunc("PUT /keys/{digest}", func(w http.ResponseWriter, q *http.Request) { s.put(w, client, q.PathValue("digest")) })
	mux.HandleFunc("DELETE /keys/{digest}", func(w http.ResponseWriter, q *http.Request) {
		s.live[client] = slices.DeleteFunc(s.live[client], func(d string) bool { return d == q.PathValue("digest") })
		answer(w, Answer{Client: client})
	})
	mux.ServeHTTP(w, q)
}

func (s *Server) client(digest string) (string, bool) {
	for client, digests := range s.live {
		if slices.Contains(digests, digest) {
			return client, true
		}
	}
	return "", false
}

func (s *Server) put(w http.ResponseWriter, client, digest string) {
	digests := s.live[client]
	switch sum, err := hex.DecodeString(digest); {
	case err != nil || len(sum) != sha256.Size:
		http.Error(w, "no SHA-256 digest in hexadecimal", http.StatusBadRequest)
		return
	case slices.Contains(digests, digest):
	case len(digests) == MaxKeys:
		http.Error(w, "too many keys", http.StatusConflict)
		return
	default:
		s.live[client] = append(digests, digest)
	}
	answer(w, Answer{Client: client})
}

// An Answer is the JSON of every answer but errors.
type Answer struct {
	Client string   `json:"client"`
	Keys   []string `json:"keys,omitempty"`
}

func answer(w http.ResponseWriter, a Answer) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(a) // the client sees an answer that ends too early
}
