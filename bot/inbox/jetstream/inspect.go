package jetstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/solafon/solafon-go/bot/inbox"
)

// Inspect opens the inbox in a folder to look at it and to replay what was put
// aside, whether a bot has it or not: of one that runs it asks for a connection
// through the folder's socket, which the folder's owner alone can use.
func Inspect(ctx context.Context, dir string, opts ...Option) (*Inbox, error) {
	if _, err := os.Stat(filepath.Join(dir, "lock")); err != nil {
		return nil, fmt.Errorf("there is no inbox in %s: name the folder that the bot was given", dir)
	}
	c, err := newConfig(1, opts)
	if err != nil {
		return nil, err
	}
	lock, err := lockFolder(dir)
	if err != nil {
		return inspectRunning(ctx, c, dir)
	}
	in, err := embedded(ctx, c, dir, look)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	in.stops = append(in.stops, lock)
	return in, nil
}

// inspectRunning asks the process that has the folder.
func inspectRunning(ctx context.Context, c config, dir string) (*Inbox, error) {
	conn, err := nats.Connect("", nats.SetCustomDialer(dialer(func(string, string) (net.Conn, error) {
		return net.Dial("unix", filepath.Join(dir, door))
	})), nats.NoReconnect())
	if err != nil {
		return nil, fmt.Errorf("the inbox in %s belongs to a process that does not answer at its socket: %w", dir, err)
	}
	in, err := look(ctx, c, conn)
	if err != nil {
		conn.Close()
	}
	return in, err
}

type dialer func(network, address string) (net.Conn, error)

// Dial makes a connection.
func (d dialer) Dial(network, address string) (net.Conn, error) { return d(network, address) }

// InspectCluster opens the inbox of a bot in a cluster to look at it.
func InspectCluster(ctx context.Context, url string, opts ...Option) (*Inbox, error) {
	c, err := newConfig(3, opts)
	if err != nil {
		return nil, err
	}
	conn, err := nats.Connect(url, append([]nats.Option{nats.Timeout(5 * time.Second)}, c.nats...)...)
	if err != nil {
		return nil, fmt.Errorf("no NATS server answers at the URL given: %w; check it, and the credentials", err)
	}
	in, err := look(ctx, c, conn)
	if err != nil {
		conn.Close()
	}
	return in, err
}

// look opens the streams that are there and makes none.
func look(ctx context.Context, c config, conn *nats.Conn) (*Inbox, error) {
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, err
	}
	in := &Inbox{config: c, conn: conn, js: js}
	for _, s := range in.streams() {
		if *s.stream, err = js.Stream(ctx, s.config.Name); errors.Is(err, jetstream.ErrStreamNotFound) {
			return nil, fmt.Errorf("there is no inbox of the name %q: name the one that the bot was given", c.name)
		} else if err != nil {
			return nil, err
		}
	}
	parts, err := strconv.Atoi(in.waiting.CachedInfo().Config.Metadata["parts"])
	if err != nil {
		return nil, fmt.Errorf("the inbox %q does not say how many parts it has", c.name)
	}
	in.config.parts = parts
	return in, nil
}

// door is the name of the socket in an inbox's folder.
const door = "socket"

// openDoor lets other processes of the same user in, through a socket in the
// folder. Where there can be none, because its path is too long for one for
// instance, the inbox works without.
func openDoor(dir string, e *engine) io.Closer {
	path := filepath.Join(dir, door)
	os.Remove(path) // of a process that was killed; the lock says that it is gone
	listener, err := net.Listen("unix", path)
	if err != nil {
		return closer(func() error { return nil })
	}
	os.Chmod(path, 0o600)
	var guests sync.WaitGroup
	guests.Go(func() {
		for {
			guest, err := listener.Accept()
			if err != nil {
				return
			}
			guests.Go(func() { admit(guest, e) })
		}
	})
	return closer(func() error {
		err := listener.Close()
		e.Close() // ends the guests' connections
		guests.Wait()
		return err
	})
}

// admit joins a guest's connection with one of the server's own.
func admit(guest net.Conn, e *engine) {
	defer guest.Close()
	inside, err := e.InProcessConn()
	if err != nil {
		return
	}
	defer inside.Close()
	var both sync.WaitGroup
	both.Go(func() { io.Copy(inside, guest); inside.Close() })
	io.Copy(guest, inside)
	guest.Close()
	both.Wait()
}

// Status counts what the inbox holds.
func (in *Inbox) Status(ctx context.Context) (inbox.Status, error) {
	var s inbox.Status
	var oldest []time.Time
	for _, kind := range []struct {
		stream jetstream.Stream
		counts []*int
	}{{in.waiting, []*int{&s.Waiting}}, {in.parked, []*int{&s.Waiting, &s.Parked}}, {in.aside, []*int{&s.Aside}}} {
		info, err := kind.stream.Info(ctx)
		if err != nil {
			return s, err
		}
		for _, count := range kind.counts {
			*count += int(info.State.Msgs)
		}
		if info.State.Msgs > 0 && kind.stream != in.aside {
			oldest = append(oldest, info.State.FirstTime)
		}
	}
	if len(oldest) > 0 {
		s.Oldest = slices.MinFunc(oldest, time.Time.Compare)
	}
	return s, nil
}

// Aside lists the items that were put aside, oldest first.
func (in *Inbox) Aside(ctx context.Context) ([]inbox.Set, error) {
	info, err := in.aside.Info(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]inbox.Set, 0, info.State.Msgs)
	for seq := info.State.FirstSeq; seq <= info.State.LastSeq && info.State.Msgs > 0; seq++ {
		m, err := in.aside.GetMsg(ctx, seq)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, set(m))
	}
	return list, nil
}

func set(m *jetstream.RawStreamMsg) inbox.Set {
	attempt, _ := strconv.Atoi(m.Header.Get(headerAttempt))
	when, _ := time.Parse(time.RFC3339Nano, m.Header.Get(headerWhen))
	return inbox.Set{Delivery: delivery(m.Header, m.Data, attempt), Reason: m.Header.Get(headerReason), When: when}
}

// find finds an item that was put aside.
func (in *Inbox) find(ctx context.Context, id string) (*jetstream.RawStreamMsg, error) {
	m, err := in.aside.GetLastMsgForSubject(ctx, in.asideAt(id))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, fmt.Errorf("%w: %s", inbox.ErrNoItem, id)
	}
	return m, err
}

// Show is an item that was put aside; inbox.ErrNoItem where there is none.
func (in *Inbox) Show(ctx context.Context, id string) (inbox.Set, error) {
	m, err := in.find(ctx, id)
	if err != nil {
		return inbox.Set{}, err
	}
	return set(m), nil
}

// Replay takes an item that was put aside in again, behind what waits. Its
// attempts count from 1.
func (in *Inbox) Replay(ctx context.Context, id string) error {
	m, err := in.find(ctx, id)
	if err != nil {
		return err
	}
	again := itemMessage(in.part(m.Header.Get(headerKey)), m.Header, m.Data)
	again.Header.Set(headerReplay, "1")
	if err := in.publish(ctx, again, fmt.Sprintf("replay %s %d", id, m.Sequence)); err != nil {
		return err
	}
	return in.aside.DeleteMsg(ctx, m.Sequence)
}

// Drop forgets an item that was put aside.
func (in *Inbox) Drop(ctx context.Context, id string) error {
	m, err := in.find(ctx, id)
	if err != nil {
		return err
	}
	return in.aside.DeleteMsg(ctx, m.Sequence)
}
