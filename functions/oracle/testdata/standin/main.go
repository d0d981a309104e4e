// Command standin is the function with the stand-in's client in go-ora's place: no Oracle can be had for tests.
package main

import (
	"github.com/seed492efc12/rotor/framework/serve"
	"github.com/seed492efc12/rotor/rotators/oracle/oracletest"
)

func main() { serve.Database(oracletest.Driver()) }
