package main

import (
	"context"
	"debug/elf"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/seed492efc12/rotor/local"
)

// process hosts the bootstraps themselves.
type process struct{ dist string }

func (p process) start(_ context.Context, engine, strategy string, env map[string]string) (*function, error) {
	bootstrap := filepath.Join(p.dist, engine, "bootstrap")
	emulator, err := emulator(bootstrap)
	if err != nil {
		return nil, err
	}
	how := "as a process"
	if emulator != nil {
		how = "under " + filepath.Base(emulator[0])
	}
	env["ROTATION_STRATEGY"] = strategy
	log := &journal{}
	f, err := local.StartFunction(local.FunctionConfig{Bootstrap: bootstrap, Emulator: emulator, Env: env, Log: log})
	if err != nil {
		return nil, fmt.Errorf("starting %s %s: %w", emulator, bootstrap, err)
	}
	invoke := func(ctx context.Context, event []byte) error {
		_, err := f.Invoke(ctx, event)
		return err
	}
	return &function{how: how, invoke: invoke, log: log, close: f.Close}, nil
}

// emulator is the command that runs an executable for another machine than this
// one; nil for this one.
func emulator(path string) ([]string, error) {
	file, err := elf.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	machine := file.Machine
	if err := file.Close(); err != nil {
		return nil, err
	}
	known := map[elf.Machine]struct{ arch, command string }{
		elf.EM_AARCH64: {"arm64", "qemu-aarch64-static"},
		elf.EM_X86_64:  {"amd64", "qemu-x86_64-static"},
	}
	switch m, ok := known[machine]; {
	case !ok:
		return nil, fmt.Errorf("%s is for %v, which no function is built for", path, machine)
	case m.arch == runtime.GOARCH:
		return nil, nil
	default:
		command, err := exec.LookPath(m.command)
		if err != nil {
			return nil, fmt.Errorf("looking for an emulator (scripts/tools.sh qemu installs it): %w", err)
		}
		return []string{command}, nil
	}
}
