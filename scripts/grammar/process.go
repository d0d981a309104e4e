package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A process is a parser that runs.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *json.Decoder
}

// start starts a parser. Stop it.
func (r reader) start(ctx context.Context, home string) (*process, error) {
	program := map[string]string{"python": filepath.Join(home, "venv", "bin", "python"), "node": "node"}[r.command[0]]
	cmd := exec.CommandContext(ctx, program, r.command[1:]...)
	cmd.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(home, "node_modules"), "PYTHONDONTWRITEBYTECODE=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &process{cmd, in, json.NewDecoder(bufio.NewReader(out))}, cmd.Start()
}

// stop ends the parser.
func (p *process) stop() error { return errors.Join(p.in.Close(), p.cmd.Wait()) }

// read has statements read.
func (p *process) read(statements []string) ([]reading, error) { return p.ask(statements, false) }

// words has only the words in statements read.
func (p *process) words(statements []string) ([]reading, error) { return p.ask(statements, true) }

// ask asks about statements, as readers/protocol.py has it.
func (p *process) ask(statements []string, words bool) ([]reading, error) {
	asked := make(chan error, 1)
	go func() {
		lines := json.NewEncoder(p.in)
		for _, s := range statements {
			if err := lines.Encode(map[string]any{"text": s, "words": words}); err != nil {
				asked <- err
				return
			}
		}
		asked <- nil
	}()
	all := make([]reading, len(statements))
	for i := range all {
		var line struct {
			Statements int
			Words      [][2]string
			Error      string
		}
		if err := p.out.Decode(&line); err != nil {
			return nil, fmt.Errorf("reading what it answers to %s: %w", statements[i], err)
		}
		all[i] = reading{statements: line.Statements, err: strings.TrimSpace(line.Error)}
		for _, w := range line.Words {
			all[i].words = append(all[i].words, word{w[0], w[1]})
		}
	}
	return all, <-asked
}
