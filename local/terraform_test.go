package local_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/local"
)

// terraform is a folder with testdata/secret.tf, in which Terraform runs against a stand-in.
type terraform struct {
	folder string
	env    []string
}

// newTerraform needs Terraform and its AWS provider: from ROTOR_TEST_TERRAFORM_PROVIDERS, a folder that is a mirror of providers, or from
// where Terraform finds it by itself.
func newTerraform(t *testing.T, url string) terraform {
	t.Helper()
	if _, err := exec.LookPath("terraform"); err != nil {
		if os.Getenv("ROTOR_TEST_TERRAFORM_PROVIDERS") != "" {
			t.Fatal("there are Terraform's providers, and no Terraform")
		}
		t.Skip("not covered: there is no Terraform")
	}
	folder := t.TempDir()
	text := must(os.ReadFile("testdata/secret.tf"))(t)
	settings := ""
	if mirror := os.Getenv("ROTOR_TEST_TERRAFORM_PROVIDERS"); mirror != "" {
		settings = "provider_installation {\n  filesystem_mirror {\n    path = \"" + mirror + "\"\n  }\n}\n"
	}
	for name, content := range map[string]string{"secret.tf": string(text), "settings": settings} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ours := func(variable string) bool {
		return strings.HasPrefix(variable, "AWS_") || strings.HasPrefix(variable, "TF_")
	}
	env := append(slices.DeleteFunc(os.Environ(), ours), "TF_CLI_CONFIG_FILE="+filepath.Join(folder, "settings"), "TF_VAR_endpoint="+url,
		"CHECKPOINT_DISABLE=1", "AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull)
	run := terraform{folder, env}
	if out, err := run.do(t, "init"); err != nil {
		if os.Getenv("ROTOR_TEST_TERRAFORM_PROVIDERS") != "" {
			t.Fatalf("terraform init: %v\n%s", err, out)
		}
		t.Skip("not covered: Terraform finds no AWS provider (ROTOR_TEST_TERRAFORM_PROVIDERS names a mirror)")
	}
	return run
}

func (r terraform) do(t *testing.T, command string, args ...string) (output string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "terraform", append([]string{command, "-no-color", "-input=false"}, args...)...)
	cmd.Dir, cmd.Env = r.folder, r.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// must is do for commands that have to succeed.
func (r terraform) must(t *testing.T, command string, args ...string) {
	t.Helper()
	if out, err := r.do(t, command, args...); err != nil {
		t.Fatalf("terraform %s %q: %v\n%s", command, args, err, out)
	}
}

// TestTerraformAppliesPlansNothingMoreAndDestroys has another maker's client make and change a secret with all that belongs to it. A plan after
// that must be empty: what is read back is what was written.
func TestTerraformAppliesPlansNothingMoreAndDestroys(t *testing.T) {
	s := serve(t, local.Options{Retries: -1, Invoke: local.InvokerFunc(func(context.Context, string, []byte) error { return nil })})
	run := newTerraform(t, s.url)
	for _, description := range []string{"of Terraform", "changed"} {
		value := "description=" + description
		run.must(t, "apply", "-auto-approve", "-var", value)
		// Status 2 is a plan that is not empty.
		run.must(t, "plan", "-detailed-exitcode", "-var", value)
	}
	d := s.describe(t, "app")
	if *d.Description != "changed" || len(d.Tags) != 1 || d.RotationRules == nil || len(d.ReplicationStatus) != 1 || !strings.Contains(s.value(t, "app"), "made-up") {
		t.Errorf("Terraform made %+v", d)
	}
	run.must(t, "destroy", "-auto-approve", "-var", "description=changed")
	s.wantAbsent(t, "app")
	s.in("eu-west-1").wantAbsent(t, "app")
}
