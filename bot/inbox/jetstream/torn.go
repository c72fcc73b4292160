package jetstream

import (
	"io/fs"
	"log/slog"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
)

// ends is the newest file of each stream in an inbox's folder, by its path from
// there, and its size. A write that the end of the machine parts can stand in
// these alone.
func ends(dir string) map[string]int64 {
	folder := os.DirFS(dir)
	files, _ := fs.Glob(folder, "jetstream/*/streams/*/msgs/*.blk") // the pattern is a good one
	slices.SortFunc(files, func(a, b string) int { return number(a) - number(b) })
	newest := make(map[string]string)
	for _, file := range files {
		newest[path.Dir(file)] = file
	}
	sizes := make(map[string]int64)
	for _, file := range newest {
		if info, err := fs.Stat(folder, file); err == nil {
			sizes[file] = info.Size()
		}
	}
	return sizes
}

// number is the number that a file's name is.
func number(file string) int {
	n, _ := strconv.Atoi(strings.TrimSuffix(path.Base(file), ".blk"))
	return n
}

// tellTorn says what the server dropped as it started: it cuts a file off where
// its last whole record ends, and keeps silent about it.
func tellTorn(logger *slog.Logger, before, after map[string]int64) {
	for file, size := range before {
		if left, there := after[file]; there && left < size {
			logger.Warn("inbox: the last write of a file was torn and is dropped; with WithSync nothing that was answered 200 is",
				"file", file, "bytes", size-left)
		}
	}
}
