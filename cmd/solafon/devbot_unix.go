//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// shell runs a command line.
var shell = []string{"sh", "-c"}

// ownGroup puts a command and all that it starts into a process group of its own.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// endGroup asks a command's group to end, or ends it.
func endGroup(cmd *exec.Cmd, atOnce bool) {
	signal := syscall.SIGTERM
	if atOnce {
		signal = syscall.SIGKILL
	}
	syscall.Kill(-cmd.Process.Pid, signal)
}
