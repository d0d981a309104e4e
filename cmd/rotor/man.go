//go:build man

// With the tag man, the command writes rotor's man pages and completion scripts into
// the folders man1 and completions of the folder that it is given. It is no part of
// rotor, so that rotor does not link what makes them. SOURCE_DATE_EPOCH is the date
// of the pages, in seconds.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/seed492efc12/rotor/framework/serve"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run -tags man ./cmd/rotor FOLDER")
		os.Exit(exitUsage)
	}
	if err := manual(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func manual(folder string) error {
	root := newRoot(newTerminal(io.Discard, io.Discard))
	root.DisableAutoGenTag = true // it has the day on which it was made
	pages, completions := filepath.Join(folder, "man1"), filepath.Join(folder, "completions")
	if err := errors.Join(os.MkdirAll(pages, 0o755), os.MkdirAll(completions, 0o755)); err != nil {
		return err
	}
	return errors.Join(
		doc.GenManTree(root, &doc.GenManHeader{Section: "1", Source: "Rotor " + serve.Version, Manual: "Rotor"}, pages),
		script(root, "bash", filepath.Join(completions, "rotor.bash")),
		script(root, "zsh", filepath.Join(completions, "_rotor")),
		script(root, "fish", filepath.Join(completions, "rotor.fish")),
		script(root, "powershell", filepath.Join(completions, "rotor.ps1")),
	)
}

func script(root *cobra.Command, shell, file string) error {
	var text bytes.Buffer
	if err := scripts[shell](root, &text); err != nil {
		return err
	}
	return os.WriteFile(file, text.Bytes(), 0o644)
}
