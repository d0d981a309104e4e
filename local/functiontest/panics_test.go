package functiontest_test

import (
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/local"
	"github.com/seed492efc12/rotor/local/functiontest"
	"github.com/seed492efc12/rotor/local/rig"
)

// A panic in a goroutine of the driver's own is not covered: Go prints its value and ends the process.
func TestAPanicOfADriverTellsNoPassword(t *testing.T) {
	bootstrap, err := rig.Build(t.Context(), "./testdata/panics", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, how := range []string{"text", "error", "value", "runtime", "later"} {
		t.Run(how, func(t *testing.T) { panicking(t, bootstrap, how) })
	}
}

func panicking(t *testing.T, bootstrap, how string) {
	const password = `pan1c " ' \ <password>`
	r, err := rig.Open(local.Options{Retries: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	f, err := r.Start(local.FunctionConfig{Bootstrap: bootstrap, Env: map[string]string{
		"PANIC": how, "AWS_LAMBDA_LOG_LEVEL": "DEBUG", "GOTRACEBACK": "all",
	}})
	if err != nil {
		t.Fatal(err)
	}
	arn, err := r.CreateSecret(t.Context(), "app", `{"engine":"panics","host":"h","username":"app","password":"pan1c \" ' \\ <password>"}`)
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Rotate(t.Context(), arn, f)
	if rig.ErrorType(err) != "Rotation.Panic" {
		t.Fatalf("got %v", err)
	}
	pending, valueErr := r.Value(t.Context(), arn, "AWSPENDING")
	if valueErr != nil {
		t.Fatal(valueErr)
	}
	secrets := append(r.RotationTokens(), password, passwordOf(t, pending))
	for _, line := range functiontest.Find(f.Log()+err.Error(), secrets...) {
		t.Errorf("a password or RotationToken was told: %s", line)
	}
	functiontest.WantReport(t, f.Log(), "Rotation.Panic", "setSecret", " at main.", err)
	if !strings.Contains(err.Error(), "This is a defect: report it with the log lines above.") {
		t.Errorf("got %v", err)
	}
	if n := f.Facts().Starts; n != 1 {
		t.Errorf("the process was started %d times", n)
	}
}
