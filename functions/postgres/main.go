// Command postgres is the Lambda function that rotates PostgreSQL users.
package main

import (
	"github.com/seed492efc12/rotor/framework/serve"
	"github.com/seed492efc12/rotor/rotators/postgres"
)

func main() { serve.Database(postgres.Driver) }
