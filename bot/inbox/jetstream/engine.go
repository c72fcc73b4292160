package jetstream

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/solafon/solafon-go/bot/inbox"
)

// engine is the server inside the process. It outlives what ends the server's
// own storage: a stream that could not write refuses every write until the
// server starts anew.
type engine struct {
	config config
	disk   disk

	mu     sync.Mutex
	ns     *server.Server
	ended  bool
	mended time.Time

	failed atomic.Bool // a write did
}

// newEngine starts a server that keeps what it holds in a folder.
func newEngine(c config, dir string) (*engine, error) {
	e := &engine{config: c, disk: disk{dir: dir}}
	return e, e.start()
}

// start starts the server. The lock is held, or nobody else has the engine yet.
func (e *engine) start() error {
	dir := e.disk.dir
	ns, err := server.NewServer(&server.Options{
		ServerName: "inbox", DontListen: true, NoSigs: true, JetStream: true, StoreDir: dir, SyncAlways: e.config.sync, MaxPayload: maxItem,
		JetStreamMaxMemory: 64 << 20, JetStreamMaxStore: 2*e.config.bytes + 4<<30,
	})
	if err != nil {
		return err
	}
	before := ends(dir)
	ns.SetLoggerV2(serverLog{e.config.logger, e.heard}, false, false, false)
	go ns.Start()
	e.ns = ns
	if !ns.ReadyForConnections(30 * time.Second) {
		e.stop()
		return errors.New("the server did not start within 30 seconds")
	}
	tellTorn(e.config.logger, before, ends(dir))
	return nil
}

func (e *engine) stop() {
	e.ns.Shutdown()
	e.ns.WaitForShutdown()
}

// InProcessConn makes a connection with the server that runs now.
func (e *engine) InProcessConn() (net.Conn, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ended {
		return nil, net.ErrClosed
	}
	return e.ns.InProcessConn()
}

// heard takes notice of the server's errors: of a write that failed it tells its
// log alone, and leaves whoever waits for an answer without one.
func (e *engine) heard(text string) {
	if strings.Contains(text, "Critical write error") {
		e.failed.Store(true)
	}
}

// writable fails while the storage cannot be written to. It is opened anew once
// the disk has room again, and not more than once a second.
func (e *engine) writable() error {
	if !e.failed.Load() {
		return nil
	}
	if err := e.disk.room(); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.ended:
		return inbox.ErrClosed
	case !e.failed.Load(): // somebody was faster
		return nil
	case time.Since(e.mended) < time.Second:
		return fmt.Errorf("%w: a write to %s failed", inbox.ErrFull, e.disk.dir)
	}
	e.config.logger.Warn("inbox: its storage is opened anew after a write failed")
	e.stop()
	e.failed.Store(false)
	e.mended = time.Now()
	if err := e.start(); err != nil {
		e.failed.Store(true)
		return fmt.Errorf("%w: the storage in %s cannot be opened anew: %v", inbox.ErrFull, e.disk.dir, err)
	}
	return nil
}

// Close ends the server.
func (e *engine) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.ended {
		e.ended = true
		e.stop()
	}
	return nil
}
