// Package jetstream keeps a bot's updates in NATS JetStream: with Embedded in a
// folder, by a server inside the process; with Connect in a cluster, for one bot
// that runs as many processes.
//
// # How it is kept
//
// Items wait in a stream, parted by their keys. Each part is handed out one item
// at a time, over however many processes, so that the items of a key are in
// order. An item that is to be handed out again is parked in a stream of its own
// and its part goes on; later items of its key are parked behind it. A wake
// message brings the first of them back when its time has come. What is put
// aside stands in a stream of its own too, and so do the IDs of what was handled:
// an item that comes again within the window is dropped when its turn comes.
//
// Every step writes what comes next before it lets go of what was: a process
// that dies in between leaves a step to be done again, and nothing undone.
package jetstream

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/solafon/solafon-go/bot/inbox"
)

// Inbox is an engine on JetStream.
type Inbox struct {
	config  config
	conn    *nats.Conn
	js      jetstream.JetStream
	waiting jetstream.Stream
	parked  jetstream.Stream
	wakes   jetstream.Stream
	aside   jetstream.Stream
	handled jetstream.Stream // the IDs of what was
	engine  *engine          // with Embedded
	stops   []io.Closer      // of what Embedded started
}

// Option changes how an inbox is made.
type Option func(*config)

type config struct {
	name     string
	parts    int
	limit    int64
	bytes    int64
	window   time.Duration
	replicas int
	sync     bool
	logger   *slog.Logger
	nats     []nats.Option
	// ackWait is how long the server waits for a sign of life from who was handed
	// an item before it hands it out again.
	ackWait time.Duration
}

// WithName tells bots apart that share a cluster: the app's number, for
// instance. Letters, digits, - and _ make a name; "bot" without it.
func WithName(name string) Option { return func(c *config) { c.name = name } }

// WithLimit keeps so many items waiting at most, and so many bytes of them;
// 1,000,000 and 1 GiB without it. Beyond either Put fails with inbox.ErrFull.
func WithLimit(items, bytes int64) Option {
	return func(c *config) { c.limit, c.bytes = items, bytes }
}

// WithWindow knows the ID of an item for so long after it was handled; 24 hours
// without it. The server keeps an index of the IDs in memory, about 160 bytes for
// each, twice that in the process's size, and 80 bytes on the disk. A day at 100
// items a second is 8.6 million IDs: 1.3 GiB live, 2.5 GiB in all, and 8 seconds
// more for Embedded to start. An hour at that rate is 0.1 GiB and a third of a
// second: pass a shorter window where nothing comes again later.
func WithWindow(d time.Duration) Option { return func(c *config) { c.window = d } }

// WithParts parts the keys so often; 64 without it. It bounds how many items are
// handed out at once, and is settled when the streams are made.
func WithParts(n int) Option { return func(c *config) { c.parts = n } }

// WithReplicas keeps everything on so many servers of a cluster; 3 without it.
func WithReplicas(n int) Option { return func(c *config) { c.replicas = n } }

// WithSync writes each item through to the disk before Put returns: it then
// outlives the machine's end and not only the process's. Without it an item is
// in the operating system's hands, which is five to six times as fast: a bot
// answered 12,000 deliveries a second without and 2,000 with it, on two cores and
// a virtual disk (make bench). It is for Embedded; a cluster's servers have a
// setting of their own.
func WithSync() Option { return func(c *config) { c.sync = true } }

// WithLogger logs what the server in the process warns of, such as what it had to
// drop of a torn file, to logger instead of slog.Default(). It is for Embedded.
func WithLogger(logger *slog.Logger) Option { return func(c *config) { c.logger = logger } }

// WithCredentials authenticates with a cluster by a file that NATS's tools make,
// with a user's JWT and key.
func WithCredentials(file string) Option { return WithNATS(nats.UserCredentials(file)) }

// WithNATS passes options of the NATS client on, such as nats.RootCAs and
// nats.ClientCert for TLS.
func WithNATS(opts ...nats.Option) Option {
	return func(c *config) { c.nats = append(c.nats, opts...) }
}

func newConfig(replicas int, opts []Option) (config, error) {
	c := config{name: "bot", parts: 64, limit: 1_000_000, bytes: 1 << 30, window: 24 * time.Hour, replicas: replicas, logger: slog.Default(), ackWait: 15 * time.Second}
	for _, opt := range opts {
		opt(&c)
	}
	switch {
	case c.name == "" || strings.ContainsFunc(c.name, notInName):
		return c, fmt.Errorf("WithName: %q is no name: use letters, digits, - and _", c.name)
	case c.parts < 1 || c.parts > 1024:
		return c, fmt.Errorf("WithParts: %d is not between 1 and 1024", c.parts)
	case c.limit < 1 || c.bytes < 1:
		return c, errors.New("WithLimit: a limit is below 1")
	case c.window < time.Second:
		return c, errors.New("WithWindow: the window is shorter than a second")
	}
	return c, nil
}

// duplicates is how long the server itself knows IDs. It forgets those of what
// was handled when it starts anew, so that the stream of IDs is what counts;
// this drops most of what comes twice before it is written.
func (c *config) duplicates() time.Duration { return min(c.window, 2*time.Minute) }

func notInName(r rune) bool {
	return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}

// Connect keeps items in a cluster. The URL can name several servers, parted by
// commas. A lost connection is made anew for as long as the process lives. When a
// server of three dies, deliveries are answered again after some seconds, when the
// others have chosen who leads, and what it had handed out is handled again after
// about 15.
func Connect(ctx context.Context, url string, opts ...Option) (*Inbox, error) {
	c, err := newConfig(3, opts)
	if err != nil {
		return nil, err
	}
	conn, err := nats.Connect(url, append([]nats.Option{
		nats.Name("inbox of " + c.name), nats.MaxReconnects(-1), nats.ReconnectWait(200 * time.Millisecond), nats.Timeout(2 * time.Second),
		nats.PingInterval(3 * time.Second), nats.MaxPingsOutstanding(2), // a server that is there and silent is left within 9 seconds
	}, c.nats...)...)
	if err != nil {
		return nil, fmt.Errorf("no NATS server answers at the URL given: %w; check it, and the credentials", err)
	}
	in, err := open(ctx, c, conn)
	if err != nil {
		conn.Close()
	}
	return in, err
}

// open makes the streams, or finds those that are there.
func open(ctx context.Context, c config, conn *nats.Conn) (*Inbox, error) {
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, err
	}
	in := &Inbox{config: c, conn: conn, js: js}
	for _, s := range in.streams() {
		s.config.Storage, s.config.Replicas = jetstream.FileStorage, c.replicas
		s.config.AllowDirect = c.replicas == 1 // cheaper to read; among several servers one that lags could answer
		err := patiently(ctx, func(ctx context.Context) (err error) {
			*s.stream, err = in.ensure(ctx, s.config)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("the stream %s cannot be opened: %w", s.config.Name, err)
		}
	}
	return in, nil
}

// streamAs is a stream and how it is made.
type streamAs struct {
	stream *jetstream.Stream
	config jetstream.StreamConfig
}

func (in *Inbox) streams() []streamAs {
	c := &in.config
	return []streamAs{
		{&in.waiting, jetstream.StreamConfig{
			Name: in.stream("in"), Subjects: []string{in.subject("in.*")}, Retention: jetstream.WorkQueuePolicy, Discard: jetstream.DiscardNew,
			MaxMsgs: c.limit, MaxBytes: c.bytes, Duplicates: c.duplicates(), Metadata: map[string]string{"parts": strconv.Itoa(c.parts)},
		}},
		{&in.parked, jetstream.StreamConfig{Name: in.stream("parked"), Subjects: []string{in.subject("parked.*")}, Duplicates: c.duplicates()}},
		{&in.wakes, jetstream.StreamConfig{Name: in.stream("wake"), Subjects: []string{in.subject("wake")}, Retention: jetstream.WorkQueuePolicy}},
		{&in.aside, jetstream.StreamConfig{Name: in.stream("aside"), Subjects: []string{in.subject("aside.*")}, MaxMsgsPerSubject: 1, Duplicates: c.duplicates()}},
		{&in.handled, jetstream.StreamConfig{
			Name: in.stream("handled"), Subjects: []string{in.subject("handled.*")}, MaxMsgsPerSubject: 1, MaxAge: c.window, Duplicates: c.duplicates(),
		}},
	}
}

// patience is how long a cluster has to come to itself while a bot starts.
const patience = time.Minute

// patiently repeats a step that a cluster cannot take yet: it may be choosing
// who leads, or wait for a server. Each try has more time than the one before: of
// two bots that make the same stream at once, neither may be answered.
func patiently(ctx context.Context, step func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for wait, allowed := 50*time.Millisecond, time.Second; ; wait, allowed = min(2*wait, 2*time.Second), min(2*allowed, timeout) {
		within, done := context.WithTimeout(ctx, allowed)
		err := step(within)
		done()
		if err == nil || !transient(err) {
			return err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
	}
}

// transient tells whether a failure can go by itself.
func transient(err error) bool {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return api.Code >= 500
	}
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout) || errors.Is(err, nats.ErrNoResponders) ||
		errors.Is(err, jetstream.ErrNoStreamResponse) || errors.Is(err, nats.ErrDisconnected)
}

// ensure makes a stream, or opens the one that is there. The number of parts
// stays as it was made: another would let two processes disagree on where a key
// belongs.
func (in *Inbox) ensure(ctx context.Context, want jetstream.StreamConfig) (jetstream.Stream, error) {
	found, err := in.js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return in.js.CreateStream(ctx, want)
	}
	if err != nil {
		return nil, err
	}
	if had := found.CachedInfo().Config.Metadata["parts"]; had != want.Metadata["parts"] {
		return nil, fmt.Errorf("it was made with %s parts and %s are asked for: pass WithParts(%[1]s)", had, want.Metadata["parts"])
	}
	if same(found.CachedInfo().Config, want) {
		return found, nil
	}
	return in.js.UpdateStream(ctx, want)
}

// same tells whether a stream is what is wanted, as far as anything is: an update
// that changes nothing is a vote of the cluster all the same.
func same(found, want jetstream.StreamConfig) bool {
	limit := func(n int64) int64 { return cmp.Or(n, -1) } // as the server says that there is none
	return slices.Equal(found.Subjects, want.Subjects) && found.Retention == want.Retention && found.Discard == want.Discard &&
		found.Replicas == want.Replicas && found.AllowDirect == want.AllowDirect && found.MaxAge == want.MaxAge && found.Duplicates == want.Duplicates &&
		limit(found.MaxMsgs) == limit(want.MaxMsgs) && limit(found.MaxBytes) == limit(want.MaxBytes) &&
		limit(found.MaxMsgsPerSubject) == limit(want.MaxMsgsPerSubject)
}

func (in *Inbox) stream(kind string) string  { return in.config.name + "-" + kind }
func (in *Inbox) subject(rest string) string { return in.config.name + "." + rest }

// part is the part that a key belongs to.
func (in *Inbox) part(key string) string {
	h := fnv.New32a()
	io.WriteString(h, key)
	return in.subject("in." + strconv.Itoa(int(h.Sum32()%uint32(in.config.parts))))
}

// parkedAt is where the parked items of a key stand.
func (in *Inbox) parkedAt(key string) string { return in.subject("parked." + token(key)) }

// handledAt is where it stands that an item was handled.
func (in *Inbox) handledAt(id string) string { return in.subject("handled." + token(id)) }

// asideAt is where an item stands that was put aside.
func (in *Inbox) asideAt(id string) string { return in.subject("aside." + token(id)) }

// token is a text as a part of a subject: never empty, and of letters that
// subjects can have.
func token(text string) string { return base64.RawURLEncoding.EncodeToString([]byte("=" + text)) }

// The headers of the messages that stand for items.
const (
	headerID       = "Item-Id"
	headerKey      = "Item-Key"
	headerAccepted = "Item-Accepted"
	headerAttempt  = "Item-Attempt"
	headerTrace    = "traceparent"
	headerReason   = "Item-Reason"
	headerDue      = "Item-Due"
	headerWait     = "Item-Wait"   // how long it was until it is due
	headerWhen     = "Item-Aside"  // when it was put aside
	headerReplay   = "Item-Replay" // it is handled though its ID says that it was
	headerWake     = "Item-Wake"   // a message that brings the first parked item of its key back
)

// timeout is how long a step may take before it is given up and done again.
const timeout = 10 * time.Second

// Put takes an item in. It returns once the server has it.
func (in *Inbox) Put(ctx context.Context, item inbox.Item) (added bool, err error) {
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	if in.engine != nil {
		if err := in.engine.disk.room(); err != nil {
			return false, err
		}
	}
	m := nats.NewMsg(in.part(item.Key))
	m.Data = item.Data
	m.Header = nats.Header{headerID: {item.ID}, headerKey: {item.Key}, headerAccepted: {time.Now().UTC().Format(time.RFC3339Nano)}}
	if item.Trace != "" {
		m.Header[headerTrace] = []string{item.Trace}
	}
	ack, err := in.write(ctx, m, "item "+item.ID)
	if err != nil {
		return false, err
	}
	return !ack.Duplicate, nil
}

// The server's codes of what keeps it from storing a message.
const (
	codeStoreFailed     = 10077 // the stream's limit, or the disk
	codeNoResources     = 10023
	codeStorageExceeded = 10047
)

// publish writes a message, once for its ID where it has one.
func (in *Inbox) publish(ctx context.Context, m *nats.Msg, id string) error {
	_, err := in.write(ctx, m, id)
	return err
}

// A write that a server took with it when it died is never answered: it is made
// again after a while, so often at most.
const (
	attemptTime = 2 * time.Second
	attempts    = 5
)

// write writes a message and writes it again where no answer comes. Its ID, where it
// has one, keeps it from being there twice; of what has none two do no harm.
func (in *Inbox) write(ctx context.Context, m *nats.Msg, id string) (ack *jetstream.PubAck, err error) {
	for range attempts {
		if ack, err = in.attempt(ctx, m, id); err == nil || ctx.Err() != nil || !transient(err) {
			break
		}
	}
	return ack, err
}

func (in *Inbox) attempt(ctx context.Context, m *nats.Msg, id string) (*jetstream.PubAck, error) {
	if in.engine != nil {
		if err := in.engine.writable(); err != nil {
			return nil, err
		}
	}
	var opts []jetstream.PublishOpt
	if id != "" {
		opts = append(opts, jetstream.WithMsgID(id))
	}
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	ack, err := in.js.PublishMsg(ctx, m, opts...)
	var api *jetstream.APIError
	switch {
	case errors.As(err, &api) && (api.ErrorCode == codeStoreFailed || api.ErrorCode == codeNoResources || api.ErrorCode == codeStorageExceeded):
		return nil, fmt.Errorf("%w: %s", inbox.ErrFull, api.Description)
	case errors.Is(err, nats.ErrConnectionClosed):
		return nil, inbox.ErrClosed
	}
	return ack, err
}

// Close ends the connection and, with Embedded, the server.
func (in *Inbox) Close() error {
	in.conn.Close()
	var err error
	for _, stop := range in.stops {
		err = errors.Join(err, stop.Close())
	}
	return err
}
