// Command sqlserver is the Lambda function that rotates SQL Server users.
package main

import (
	"github.com/seed492efc12/rotor/framework/serve"
	"github.com/seed492efc12/rotor/rotators/sqlserver"
)

func main() { serve.Database(sqlserver.Driver) }
