package jetstream

import (
	"errors"
	"net"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
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
	ns.SetLoggerV2(serverLog{e.config.logger}, false, false, false)
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

// mend starts the server anew after it could not write, once the disk has room
// again and not more than once a second.
func (e *engine) mend() {
	if !e.mu.TryLock() {
		return // somebody is at it
	}
	defer e.mu.Unlock()
	if e.ended || time.Since(e.mended) < time.Second || e.disk.room() != nil {
		return
	}
	e.config.logger.Warn("inbox: its storage is opened anew after a write failed")
	e.stop()
	if err := e.start(); err != nil {
		e.config.logger.Error("inbox: its storage cannot be opened anew; the bot has to be started again", "error", err)
	}
	e.mended = time.Now()
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
