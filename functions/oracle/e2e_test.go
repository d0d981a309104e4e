package main_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/seed492efc12/rotor/internal/harnesstest"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/local"
	"github.com/seed492efc12/rotor/local/functiontest"
	"github.com/seed492efc12/rotor/local/rig"
	"github.com/seed492efc12/rotor/rotators/oracle/oracletest"
)

func TestThreeRotationsInARow(t *testing.T) {
	functiontest.RunRotations(t, harness(t, oracletest.Best(t)))
}

func TestATrialRunsThePreflight(t *testing.T) {
	functiontest.RunTrials(t, harness(t, oracletest.Best(t)))
}

func TestTheProcessKeepsItsPromisesWhateverHappensToIt(t *testing.T) {
	functiontest.Run(t, harness(t, oracletest.Best(t)))
}

func TestARotationThatIsCutOffLeavesNothingOpen(t *testing.T) {
	d := oracletest.Best(t)
	functiontest.RunInProcess(t, harness(t, d), d.Driver)
}

// The deployed function ends before the protocol matters.
func TestServersThatCannotBeTrustedGetNoPassword(t *testing.T) {
	start := func(t *testing.T, c oracletest.Config) *servertest.Server {
		s, err := oracletest.Start(c)
		return &servertest.ForTest(t, s, err).Server
	}
	fields := map[string]any{"engine": "oracle", "dbname": oracletest.Service}
	for name, pkg := range map[string]string{"stand-in's": standIn, "deployed": pkg} {
		t.Run(name, func(t *testing.T) {
			suspects := harnesstest.Suspects(t, func(t *testing.T, o servertest.Options) *servertest.Server {
				return start(t, oracletest.Config{Options: o})
			}, "2484", fields)
			mute := start(t, oracletest.Config{Options: servertest.NoTLS(), Mute: true})
			suspects = append(suspects, harnesstest.Suspect(t, "mute", mute, "2484", fields))
			functiontest.RunUntrusted(t, functiontest.Bootstrap(t, pkg), suspects)
		})
	}
}

// The function that is deployed can be tried without an Oracle up to where it would need one. What may pass by itself it
// tries again until its time is up.
func TestTheDeployedFunctionNamesWhatIsWrong(t *testing.T) {
	silent, closed := listen(t), listen(t)
	_ = closed.Close()
	for name, c := range map[string]struct {
		user, password string
		server         net.Listener
		class, says    string
	}{
		"silent":        {"app", first, silent, "Rotation.Timeout", "CONNECT_TIMEOUT"},
		"closed":        {"app", first, closed, "Rotation.Timeout", "refused"},
		"a common user": {"c##app", first, closed, "Rotation.BadSecret", "common user"},
		"no password":   {"app", "", closed, "Rotation.BadSecret", "password"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := rotate(t, map[string]any{"engine": "oracle", "host": servertest.Host, "port": c.server.Addr().(*net.TCPAddr).Port,
				"dbname": oracletest.Service, "username": c.user, "password": c.password})
			if rig.ErrorType(err) != c.class || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", servertest.Host+":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// rotate rotates a secret by the deployed function, which tells no password.
func rotate(t *testing.T, fields map[string]any) error {
	t.Helper()
	r, err := rig.Open(local.Options{Retries: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	f, err := r.Start(local.FunctionConfig{Bootstrap: functiontest.Bootstrap(t, pkg), Timeout: 3 * time.Second, Env: map[string]string{"CONNECT_TIMEOUT": "1"}})
	if err != nil {
		t.Fatal(err)
	}
	arn, err := r.CreateSecret(t.Context(), "app", string(harnesstest.Secret(t, fields).Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Rotate(t.Context(), arn, f)
	for _, line := range functiontest.Find(f.Log(), append(r.RotationTokens(), first)...) {
		t.Errorf("a password or RotationToken was told: %s", line)
	}
	return err
}

func TestPoliciesThatOracleDoesNotTakeStopTheFunction(t *testing.T) {
	functiontest.RunBadSettings(t, functiontest.Bootstrap(t, pkg), map[string]string{"PASSWORD_LENGTH": "31", "ROTATION_STRATEGY": "both"})
}

func TestThePackageIsSmall(t *testing.T) {
	functiontest.WantSmall(t, functiontest.Bootstrap(t, pkg), 7_000_000)
}
