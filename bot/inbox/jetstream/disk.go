package jetstream

import (
	"fmt"
	"sync"
	"time"

	"github.com/solafon/solafon-go/bot/inbox"
)

// reserve is how much of a disk is left to what was taken in already: to write
// down that it was handled, parked or put aside.
const reserve = 64 << 20

// disk is where an inbox's folder stands.
type disk struct {
	dir string

	mu    sync.Mutex
	asked time.Time
	free  uint64
}

// room fails while the disk has less left than the reserve. It asks the
// operating system every tenth of a second at most.
func (d *disk) room() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if time.Since(d.asked) > 100*time.Millisecond {
		d.free, d.asked = available(d.dir), time.Now()
	}
	if d.free < reserve {
		return fmt.Errorf("%w: the disk of %s has %d MiB left, and the last %d are kept for what it holds already", inbox.ErrFull, d.dir, d.free>>20, reserve>>20)
	}
	return nil
}
