// Command mysql is the Lambda function that rotates MySQL and MariaDB users.
package main

import (
	"github.com/seed492efc12/rotor/framework/serve"
	"github.com/seed492efc12/rotor/rotators/mysql"
)

func main() { serve.Database(mysql.Driver) }
