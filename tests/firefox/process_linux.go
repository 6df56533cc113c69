package firefox

import (
	"os/exec"
	"syscall"
)

// bind makes the process the first of a group, which ends with the thread that starts it.
func bind(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
}

// sweep ends what is left of the group.
func sweep(c *exec.Cmd) { syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
