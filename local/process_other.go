//go:build !linux

package local

import (
	"os"
	"os/exec"
	"time"
)

// Outside Linux a process is killed by Close alone; what it started itself is not, and nothing is known of its use
// of time and memory while it runs.

func tieToParent(*exec.Cmd) {}

func killGroup(p *os.Process) { _ = p.Kill() }

func (p *process) reap() {
	_ = p.cmd.Wait()
	p.mu.Lock()
	p.gone = true
	p.mu.Unlock()
}

func cpuTime(int) time.Duration { return 0 }

func peakRSS(int) int64 { return 0 }
