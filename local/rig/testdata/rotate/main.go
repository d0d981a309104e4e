// Command rotate is a rotation function for tests: its secret is a counter, in a target that does not exist.
package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/framework/serve"
)

type counter struct{}

func (counter) Next(_ context.Context, v rotation.Versions) (secret.Document, error) {
	n, err := strconv.Atoi(v.Current.Text("n"))
	if err != nil {
		return secret.Document{}, rotation.Fail(rotation.BadSecret, "the secret has no number")
	}
	fmt.Println("counting")
	return v.Current.With("n", fmt.Sprint(n+1)), nil
}

func (counter) Set(context.Context, rotation.Versions) error       { return nil }
func (counter) Test(context.Context, rotation.Versions) error      { return nil }
func (counter) Preflight(context.Context, rotation.Versions) error { return nil }
func (counter) Plan(context.Context, rotation.Versions) error      { return nil }
func (counter) Try(context.Context, string, secret.Document, *rotation.Report) (string, error) {
	return "counter", nil
}

func main() {
	serve.Rotator("counter", func(serve.Settings) (rotation.Rotator, error) { return counter{}, nil })
}
