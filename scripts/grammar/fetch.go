package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/seed492efc12/rotor/internal/install"
)

// readersFolder is the folder of the programs around the parsers, from the repository's root, where make runs.
const readersFolder = "scripts/grammar/readers"

// pins are the files that pin what is fetched.
var pins = []string{"requirements.txt", "package.json", "package-lock.json"}

// fetch brings the parsers into the servers' cache, unless they are there, and returns their folder. pip and npm check
// each file's pinned sum. Nothing of the packages runs meanwhile.
func fetch(ctx context.Context) (string, error) {
	sum := sha256.New()
	for _, name := range pins {
		content, err := os.ReadFile(filepath.Join(readersFolder, name))
		if err != nil {
			return "", err
		}
		sum.Write(content)
	}
	home := filepath.Join(install.Cache(), "grammar")
	made, wanted := filepath.Join(home, "made-of"), fmt.Sprintf("%x\n", sum.Sum(nil))
	if was, err := os.ReadFile(made); err == nil && string(was) == wanted {
		return home, nil
	}
	fmt.Println("fetching the parsers by pip and npm (60 MB)")
	if err := os.RemoveAll(home); err != nil {
		return "", err
	}
	if err := os.MkdirAll(home, 0o755); err != nil {
		return "", err
	}
	for _, name := range pins {
		content, err := os.ReadFile(filepath.Join(readersFolder, name))
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(home, name), content, 0o644); err != nil {
			return "", err
		}
	}
	python := filepath.Join(home, "venv", "bin", "python")
	for _, command := range [][]string{
		{"python3", "-m", "venv", "venv"},
		{python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes",
			"--no-deps", "--only-binary=:all:", "--no-compile", "-r", "requirements.txt"},
		{"npm", "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"},
	} {
		cmd := exec.CommandContext(ctx, command[0], command[1:]...)
		cmd.Dir = home
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%s: %w: %s", strings.Join(command[:3], " "), err, out)
		}
	}
	return home, os.WriteFile(made, []byte(wanted), 0o644)
}
