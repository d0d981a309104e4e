// Command oracle is the Lambda function that rotates users of Oracle Database.
package main

import (
	"github.com/seed492efc12/rotor/framework/serve"
	"github.com/seed492efc12/rotor/rotators/oracle"
)

func main() { serve.Database(oracle.Driver) }
