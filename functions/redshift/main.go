// Command redshift is the Lambda function that rotates Redshift users.
package main

import (
	"github.com/seed492efc12/rotor/framework/serve"
	"github.com/seed492efc12/rotor/rotators/redshift"
)

func main() { serve.Database(redshift.Driver) }
