//go:build !unix

package jetstream

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// lockFolder keeps other processes out of a folder as far as the operating
// system lets an open file do that.
func lockFolder(dir string) (io.Closer, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the inbox's folder cannot be locked: %w", err)
	}
	return f, nil
}
