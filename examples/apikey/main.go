// Command apikey is a Lambda function that rotates the API keys of an HTTP
// service: a rotator that is no database, in a module of its own. The tutorial,
// docs/write-a-rotator.md, is made of its code.
package main

import (
	"net/http"

	"github.com/seed492efc12/rotor/framework/serve"
)

func main() { serve.Rotator("apikey", newRotator(http.DefaultTransport)) }
