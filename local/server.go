package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Server is a [SecretsManager] that listens on the loopback interface, with Lambda if its functions are [Functions].
type Server struct {
	// URL is the endpoint to give to SDKs, such as http://127.0.0.1:40123. It has no path.
	URL string

	service *SecretsManager
	http    *http.Server
	stopped chan error
	close   func() error
}

// Endpoint answers for one address what AWS answers at two. If [Options].Invoke is an [net/http.Handler], as [Functions]
// is, it gets the requests of the Lambda API; all others are for the service.
func (s *SecretsManager) Endpoint() http.Handler {
	functions, ok := s.options.Invoke.(http.Handler)
	if !ok {
		return s
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Amz-Target") == "" && strings.HasPrefix(r.URL.Path, lambdaPath) {
			functions.ServeHTTP(w, r)
			return
		}
		s.ServeHTTP(w, r)
	})
}

// Serve makes the service's Endpoint listen on a free port of 127.0.0.1, over plain HTTP. Close the server when done.
func (s *SecretsManager) Serve() (*Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for Secrets Manager requests: %w", err)
	}
	server := &Server{
		URL:     "http://" + listener.Addr().String(),
		service: s,
		http:    &http.Server{Handler: s.Endpoint(), ConnContext: numberConnections(), ReadHeaderTimeout: time.Minute},
		stopped: make(chan error, 1),
	}
	server.close = sync.OnceValue(server.shutDown)
	go func() { server.stopped <- server.http.Serve(listener) }()
	return server, nil
}

// Close closes the service as [SecretsManager.Close] does, so that rotations can still reach it while they stop,
// and then the listener and all connections. It may be called more than once.
func (s *Server) Close() error { return s.close() }

func (s *Server) shutDown() error {
	s.service.Close()
	err := s.http.Close()
	if serveErr := <-s.stopped; !errors.Is(serveErr, http.ErrServerClosed) {
		err = errors.Join(err, serveErr)
	}
	return err
}

type connectionKey struct{}

// numberConnections gives each connection a number of its own: a remote port may be used again.
func numberConnections() func(context.Context, net.Conn) context.Context {
	var last atomic.Int64
	return func(ctx context.Context, c net.Conn) context.Context {
		id := strconv.FormatInt(last.Add(1), 10) + " " + c.RemoteAddr().String()
		return context.WithValue(ctx, connectionKey{}, id)
	}
}

func connectionOf(r *http.Request) string {
	if id, ok := r.Context().Value(connectionKey{}).(string); ok {
		return id
	}
	return r.RemoteAddr
}
