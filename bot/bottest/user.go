package bottest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// User is somebody who writes to the bot.
type User struct {
	Profile
	p    *Platform
	t    testing.TB
	read int // how many of the bot's messages were taken
}

// User makes a user, by name and language.
func (p *Test) User(name, language string) *User {
	return &User{Profile: p.AddUser(name, language), p: p.Platform, t: p.t}
}

// Say writes to the bot, and returns the update's number.
func (u *User) Say(text string) (updateID int64) {
	u.t.Helper()
	m, err := u.p.Write(u.ID, text)
	if err != nil {
		u.t.Fatal(err)
	}
	return m.UpdateID
}

// Press presses a button of the newest message of the bot's that has one of that
// text, which sends the button's action.
func (u *User) Press(button string) {
	u.t.Helper()
	messages := u.fromBot(u.p.Messages())
	for i := len(messages) - 1; i >= 0; i-- {
		for _, b := range messages[i].Buttons {
			if b.Text == button {
				u.Say(b.Action)
				return
			}
		}
	}
	u.t.Fatalf("%s was shown no button %q\n%s", u.Name, button, u.p.Transcript())
}

// fromBot are the messages that the bot sent to this user.
func (u *User) fromBot(all []Message) []Message {
	var list []Message
	for _, m := range all {
		if m.FromBot && m.UserID == u.ID {
			list = append(list, m)
		}
	}
	return list
}

// Reply waits for the next message from the bot that Reply and WantReply have not
// returned yet.
func (u *User) Reply(ctx context.Context) (Message, error) {
	var m Message
	err := u.p.await(ctx, func() bool {
		messages := u.fromBot(u.p.messages)
		if len(messages) <= u.read {
			return false
		}
		m = messages[u.read]
		return true
	})
	if err != nil {
		return m, fmt.Errorf("the bot did not write to %s: %w", u.Name, err)
	}
	u.read++
	return m, nil
}

// patience is how long WantReply waits for a bot that does not answer: it is no
// measure of speed, and only passes where a test fails.
const patience = 30 * time.Second

// WantReply waits for the next message from the bot, and fails the test with the
// whole conversation where it says anything else or does not come.
func (u *User) WantReply(t testing.TB, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	m, err := u.Reply(ctx)
	switch {
	case err != nil:
		t.Fatalf("%v; %q was wanted\n%s", err, text, u.p.Transcript())
	case m.Text != text:
		t.Fatalf("the bot wrote %q to %s, and %q was wanted\n%s", m.Text, u.Name, text, u.p.Transcript())
	}
}

// Transcript is everything that was said, delivered and refused, in order, a line
// each.
func (p *Platform) Transcript() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	type event struct {
		at   time.Time
		text string
	}
	var events []event
	name := func(id int64) string {
		if profile, ok := p.profile(id); ok {
			return profile.Name
		}
		return strconv.FormatInt(id, 10)
	}
	for _, m := range p.messages {
		text := fmt.Sprintf("%s: %s", name(m.UserID), m.Text)
		if m.FromBot {
			text = fmt.Sprintf("bot to %s: %s", name(m.UserID), m.Text)
			for _, b := range m.Buttons {
				text += fmt.Sprintf(" [%s]", b.Text)
			}
		}
		events = append(events, event{m.At, text})
	}
	for _, d := range p.deliveries {
		what := fmt.Sprintf("update %d, attempt %d", d.UpdateID, d.Attempt)
		if d.UpdateID == 0 {
			what = d.Request
		}
		events = append(events, event{d.At, fmt.Sprintf("  delivered %s: %d %s (%v)", what, d.Status, d.Response, d.Duration.Round(time.Microsecond))})
	}
	for _, c := range p.calls {
		if c.Status != 200 {
			events = append(events, event{c.At, fmt.Sprintf("  %s was answered %s", c.Path, answered(c.Status))})
		}
	}
	slices.SortStableFunc(events, func(a, b event) int { return a.at.Compare(b.at) })
	var b strings.Builder
	b.WriteString("the conversation:\n")
	for _, e := range events {
		b.WriteString("  " + e.text + "\n")
	}
	if len(p.waiting) > 0 {
		fmt.Fprintf(&b, "  %d updates wait: no webhook is set, or it is paused\n", len(p.waiting))
	}
	return b.String()
}

func answered(status int) string {
	if status == 0 {
		return "by nothing: the connection was broken"
	}
	return strconv.Itoa(status)
}
