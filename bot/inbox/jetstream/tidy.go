package jetstream

import (
	"cmp"
	"context"
	"errors"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// tidy takes out of the streams what was acknowledged and is still there. A
// server that is killed between the two, or whose disk fails then, remembers the
// one and keeps the other: it never hands the item out again, and counts it as
// waiting for ever. It is done whenever the server is reached anew, until ctx
// ends.
func (w *worker) tidy(ctx context.Context) {
	reached := w.conn.StatusChanged(nats.CONNECTED)
	defer w.conn.RemoveStatusListener(reached)
	for {
		for _, stream := range []jetstream.Stream{w.waiting, w.wakes} {
			err := patiently(ctx, func(ctx context.Context) error { return removeAcknowledged(ctx, stream) })
			if err != nil && ctx.Err() == nil {
				w.config.logger.Warn("inbox: what was handled may be counted as waiting", "stream", stream.CachedInfo().Config.Name, "error", err)
			}
		}
		select {
		case <-reached:
		case <-ctx.Done():
			return
		}
	}
}

// removeAcknowledged removes what stands below the point up to which a consumer
// has acknowledged everything.
func removeAcknowledged(ctx context.Context, stream jetstream.Stream) error {
	consumers := stream.ListConsumers(ctx)
	var infos []*jetstream.ConsumerInfo
	for info := range consumers.Info() {
		infos = append(infos, info)
	}
	if err := consumers.Err(); err != nil {
		return err
	}
	for _, info := range infos {
		for {
			m, err := stream.GetMsg(ctx, 1, jetstream.WithGetMsgSubject(cmp.Or(info.Config.FilterSubject, ">")))
			if errors.Is(err, jetstream.ErrMsgNotFound) || err == nil && m.Sequence > info.AckFloor.Stream {
				break
			}
			if err == nil {
				err = stream.DeleteMsg(ctx, m.Sequence)
			}
			if err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
				return err
			}
		}
	}
	return nil
}
