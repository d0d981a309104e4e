package rig

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Build makes the bootstrap of a function with the flags of a release, for this machine, and returns its path in
// folder. The package is what go build takes: an import path, or a path that begins with a dot. It runs the go command
// in the working directory, which must be in the module.
func Build(ctx context.Context, pkg, folder string) (bootstrap string, err error) {
	bootstrap, err = filepath.Abs(filepath.Join(folder, "bootstrap"))
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc",
		"-ldflags", "-s -w -buildid=", "-o", bootstrap, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", pkg, err, out)
	}
	return bootstrap, nil
}
