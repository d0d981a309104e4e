// Command documentdb is the Lambda function that rotates DocumentDB and MongoDB users.
package main

import (
	"github.com/seed492efc12/rotor/framework/serve"
	"github.com/seed492efc12/rotor/rotators/documentdb"
)

func main() { serve.Database(documentdb.Driver) }
