//go:build linux || darwin

package jetstream

import (
	"math"
	"syscall"
)

// available is how many bytes a folder's disk has left for this process.
func available(dir string) uint64 {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(dir, &disk); err != nil {
		return math.MaxUint64 // not known; the write itself will tell
	}
	return uint64(disk.Bavail) * uint64(disk.Bsize)
}
