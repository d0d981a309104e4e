package local

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// tieToParent puts the process into a group of its own, to be killed as a whole, and asks the kernel to kill it when
// this program dies in whatever way. The latter does not reach the process's own children: those of a program that
// was itself killed by force live on.
func tieToParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

func killGroup(p *os.Process) {
	_ = syscall.Kill(-p.Pid, syscall.SIGKILL) // A group that has just ended is what we want.
}

// reap waits for the process to end, kills what is left of its group, and only then lets the kernel give its id to
// another.
func (p *process) reap() {
	waitWithoutReaping(p.cmd.Process.Pid)
	p.mu.Lock()
	p.gone = true
	killGroup(p.cmd.Process)
	p.mu.Unlock()
	_ = p.cmd.Wait() // The outcome is in ProcessState.
}

// waitWithoutReaping is waitid(2) with WNOWAIT.
func waitWithoutReaping(pid int) {
	const byID = 1 // P_PID
	for {
		var info [128]byte // siginfo_t
		_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, byID, uintptr(pid), uintptr(unsafe.Pointer(&info[0])),
			syscall.WEXITED|syscall.WNOWAIT, 0, 0)
		if errno != syscall.EINTR {
			return
		}
	}
}

// cpuTime is the user and system time that all threads of a process have used so far. The process clock is exact to
// the nanosecond, where /proc/<pid>/stat counts ticks of 10 ms.
func cpuTime(pid int) time.Duration {
	const scheduled = 2 // CPUCLOCK_SCHED, see clock_getcpuclockid(3)
	clock := ^pid<<3 | scheduled
	var t syscall.Timespec
	_, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, uintptr(clock), uintptr(unsafe.Pointer(&t)), 0)
	if errno != 0 {
		return 0
	}
	return time.Duration(t.Nano())
}

// peakRSS is the most memory, in bytes, that a process has had in RAM (proc_pid_status(5), VmHWM).
func peakRSS(pid int) int64 {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kib << 10
		}
	}
	return 0
}
