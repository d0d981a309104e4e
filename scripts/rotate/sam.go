package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/seed492efc12/rotor/local"
)

// samCLI hosts by sam local invoke: each invocation is a container of its own.
type samCLI struct{ path, template, image, arch string }

func (s samCLI) start(_ context.Context, engine, strategy string, env map[string]string) (*function, error) {
	name := strings.ToUpper(engine[:1]) + engine[1:]
	variables, err := json.Marshal(map[string]map[string]string{name + "Function": env})
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "rotor-sam-")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(folder, "env.json")
	if err := os.WriteFile(file, variables, 0o600); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	args := []string{
		"local", "invoke", name + "Function", "--template", s.template, "--event", "-", "--env-vars", file,
		"--parameter-overrides", fmt.Sprintf("Architecture=%s %sStrategy=%s", s.arch, name, strategy), "--skip-pull-image",
	}
	if s.image != "" {
		args = append(args, "--invoke-image", s.image)
	}
	log := &journal{}
	invoke := func(ctx context.Context, event []byte) error { return s.invoke(ctx, args, event, log) }
	return &function{how: "by sam local invoke", invoke: invoke, log: log, close: func() error { return os.RemoveAll(folder) }}, nil
}

// invoke returns the function's error, which the SAM CLI's status does not tell.
func (s samCLI) invoke(ctx context.Context, args []string, event []byte, log *journal) error {
	cmd := exec.CommandContext(ctx, s.path, args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(event), &out, &errs
	err := cmd.Run()
	_, _ = log.Write(append(out.Bytes(), errs.Bytes()...))
	if err != nil {
		return fmt.Errorf("sam local invoke: %w\n%s", err, errs.Bytes())
	}
	return answer(out.Bytes(), errs.Bytes())
}

// answer is the function's error in what it answered. Nothing but null, which
// all steps answer, is success.
func answer(out, errs []byte) error {
	out = bytes.TrimSpace(out)
	if string(out) == "null" {
		return nil
	}
	var failure struct{ ErrorType, ErrorMessage string }
	if json.Unmarshal(out, &failure) != nil || failure.ErrorType == "" {
		return errors.New("sam local invoke: the function did not answer as it must\n" + string(out) + string(errs))
	}
	return &local.FunctionError{Type: failure.ErrorType, Message: failure.ErrorMessage}
}
