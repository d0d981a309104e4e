// Command redis is the Lambda function that rotates users of Redis and Valkey.
package main

import (
	"github.com/seed492efc12/rotor/framework/serve"
	"github.com/seed492efc12/rotor/rotators/redis"
)

func main() { serve.Database(redis.Driver) }
