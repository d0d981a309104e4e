package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// read has statements read by one process of the parser.
func (r reader) read(ctx context.Context, home string, statements []string) ([]reading, error) {
	program := map[string]string{"python": filepath.Join(home, "venv", "bin", "python"), "node": "node"}[r.command[0]]
	cmd := exec.CommandContext(ctx, program, r.command[1:]...)
	cmd.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(home, "node_modules"), "PYTHONDONTWRITEBYTECODE=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() { // a parser that ends early shows in what it has read
		defer in.Close()
		lines := json.NewEncoder(in)
		for _, s := range statements {
			if lines.Encode(s) != nil {
				return
			}
		}
	}()
	all, err := readings(out)
	if waited := cmd.Wait(); waited != nil {
		return nil, fmt.Errorf("%s: %w", r.name, waited)
	}
	if err == nil && len(all) != len(statements) {
		err = fmt.Errorf("%s has read %d of %d statements", r.name, len(all), len(statements))
	}
	return all, err
}

// readings takes what a parser answers: see readers/protocol.py.
func readings(out io.Reader) (all []reading, err error) {
	lines := json.NewDecoder(bufio.NewReader(out))
	for {
		var line struct {
			Statements int
			Words      [][2]string
			Error      string
		}
		if err := lines.Decode(&line); err == io.EOF {
			return all, nil
		} else if err != nil {
			return all, err
		}
		r := reading{statements: line.Statements, err: strings.TrimSpace(line.Error)}
		for _, w := range line.Words {
			r.words = append(r.words, word{w[0], w[1]})
		}
		all = append(all, r)
	}
}
