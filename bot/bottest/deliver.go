package bottest

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/solafon/solafon-go/gen/platform"
	"github.com/solafon/solafon-go/gen/solafon"
)

// dispatch sends an update on its way. The lock is held.
func (p *Platform) dispatch(u solafon.Update) {
	switch {
	case !p.delivers():
		p.waiting = append(p.waiting, u)
	case p.faults.Reorder > 1:
		if p.held = append(p.held, u); len(p.held) >= p.faults.Reorder {
			held := p.held
			p.held = nil
			slices.Reverse(held)
			p.line(0, held...)
		}
	default:
		p.line(u.Chat.ID, u)
	}
}

// line queues updates behind those of the same number, of which one is delivered
// at a time. The lock is held.
func (p *Platform) line(number int64, updates ...solafon.Update) {
	queue, running := p.queues[number]
	p.queues[number] = append(queue, updates...)
	if !running {
		p.lines.Go(func() { p.run(number) })
	}
}

// run delivers a line's updates until there are none, or nowhere to go.
func (p *Platform) run(number int64) {
	for {
		p.mu.Lock()
		queue := p.queues[number]
		if len(queue) == 0 || !p.delivers() {
			delete(p.queues, number)
			p.waiting = append(p.waiting, queue...)
			p.mu.Unlock()
			return
		}
		p.mu.Unlock()
		if last, ended := p.deliver(queue[0]); ended {
			p.mu.Lock()
			p.queues[number] = p.queues[number][1:]
			p.done(queue[0].UpdateID, !last.OK())
			p.mu.Unlock()
		}
	}
}

// done notes that a bot took or refused an update. The lock is held.
func (p *Platform) done(updateID int64, refused bool) {
	i := slices.IndexFunc(p.messages, func(m Message) bool { return m.UpdateID == updateID && !m.FromBot })
	if i >= 0 && !p.messages[i].Done {
		p.messages[i].Done, p.messages[i].Refused = true, refused
		m := p.messages[i]
		p.tell(Change{Message: &m})
	}
}

// deliver delivers an update until the bot took or refused it, and returns that
// attempt; ended is false where there is nowhere to deliver it to any more.
func (p *Platform) deliver(u solafon.Update) (last Delivery, ended bool) {
	for attempt := 1; ; attempt++ {
		p.mu.Lock()
		faults, ok := p.faults, p.delivers()
		p.mu.Unlock()
		if !ok {
			return last, false
		}
		if faults.BadJSON {
			p.attempt(u, faults, attempt, func(body []byte) []byte { return body[:len(body)-1] })
		}
		for range max(1, faults.Duplicate) {
			last = p.attempt(u, faults, attempt, nil)
		}
		if last.Status != 0 && last.Status/100 != 5 {
			return last, true
		}
		timer := time.NewTimer(p.config.wait << min(attempt-1, 4))
		select {
		case <-timer.C:
		case <-p.ctx.Done():
			timer.Stop()
			return last, false
		}
	}
}

// attempt delivers an update once, in the form that the faults ask for and with
// its body changed where change is not nil.
func (p *Platform) attempt(u solafon.Update, faults Faults, attempt int, change func([]byte) []byte) Delivery {
	body, err := faults.Form.Encode(u)
	if err != nil {
		panic(err) // an update that was made here can be written
	}
	if change != nil {
		body = change(body)
	}
	return p.send(p.ctx, Delivery{UpdateID: u.UpdateID, UserID: u.Chat.ID, Attempt: attempt, Request: string(body)})
}

// send sends a delivery's request and notes what came of it.
func (p *Platform) send(ctx context.Context, d Delivery) Delivery {
	settings := p.Settings()
	sender := platform.WebhookSender{URL: settings.WebhookURL, AppID: AppID, AppToken: settings.Token, HTTPClient: p.config.client, Timeout: p.config.within}
	sent := sender.SendRaw(ctx, []byte(d.Request))
	d.URL, d.Status, d.Duration, d.Response, d.At = sent.URL, sent.Status, sent.Duration, strings.TrimSpace(string(sent.Response)), sent.Start
	if sent.Err != nil {
		d.Response = sent.Err.Error()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	d.ID = p.nextID()
	p.deliveries = kept(p.deliveries, d)
	p.tell(Change{Delivery: &d})
	return d
}

// Replay delivers a delivery's request once more, and returns what came of it.
func (p *Platform) Replay(ctx context.Context, d Delivery) Delivery {
	return p.send(ctx, Delivery{UpdateID: d.UpdateID, UserID: d.UserID, Attempt: d.Attempt + 1, Request: d.Request})
}

// Deliver delivers a body as it is, whether it is an update or not, and returns
// what came of it.
func (p *Platform) Deliver(ctx context.Context, body string) Delivery {
	return p.send(ctx, Delivery{Attempt: 1, Request: body})
}
