//go:build !unix

package main

import "os/exec"

// shell runs a command line.
var shell = []string{"cmd", "/C"}

// ownGroup does nothing: there are no process groups here.
func ownGroup(*exec.Cmd) {}

// endGroup ends the command; there is no way to ask it to.
func endGroup(cmd *exec.Cmd, _ bool) { cmd.Process.Kill() }
