// Command apikey is a Lambda function that rotates the API keys of an HTTP
// service: a rotator that is no database, in a module of its own. The tutorial,
// docs/write-a-rotator.md, is made of its code.
package main

import (
	"crypto/tls"
	"net/http"

	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/serve"
)

func main() { serve.Rotator("apikey", configured) }

// configured returns the rotator that the function's environment asks for.
func configured(s serve.Settings) (rotation.Rotator, error) {
	return newRotator(&http.Transport{
		TLSClientConfig:     &tls.Config{RootCAs: s.Roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: s.ConnectTimeout,
		ForceAttemptHTTP2:   true,
	}), nil
}
