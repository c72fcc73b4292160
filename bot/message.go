package bot

import (
	"context"
	"strings"
	"unicode"

	"github.com/solafon/solafon-go/gen/solafon"
)

// Message is what a user wrote, as a handler sees it.
type Message struct {
	solafon.Update
	// Command is the command's name without the slash; empty where the message is
	// none.
	Command string
	// Args is what stands behind the command, without white space around it.
	Args string
	// Attempt is how often this update was given to a handler, this time included.
	Attempt int

	client *solafon.Client
}

// newMessage reads a command out of an update.
func newMessage(client *solafon.Client, u solafon.Update, attempt int) *Message {
	m := &Message{Update: u, Attempt: attempt, client: client}
	if rest, ok := strings.CutPrefix(strings.TrimLeftFunc(u.Text, unicode.IsSpace), "/"); ok {
		end := strings.IndexFunc(rest, unicode.IsSpace)
		if end < 0 {
			end = len(rest)
		}
		m.Command, m.Args = rest[:end], strings.TrimSpace(rest[end:])
	}
	return m
}

// Reply answers in the chat that the message came from. It is not sent twice
// within one try of a handler; a handler that is tried again sends it again.
func (m *Message) Reply(ctx context.Context, text string) error {
	_, err := m.Send(ctx, solafon.SendMessageRequest{Text: text})
	return err
}

// ReplyButtons answers with buttons under the text.
func (m *Message) ReplyButtons(ctx context.Context, text string, buttons ...solafon.Button) error {
	_, err := m.Send(ctx, solafon.SendMessageRequest{Text: text}.WithButtons(buttons...))
	return err
}

// ReplyImage answers with the picture at an https address.
func (m *Message) ReplyImage(ctx context.Context, text, imageURL string) error {
	_, err := m.Send(ctx, solafon.SendMessageRequest{Text: text}.WithImage(imageURL))
	return err
}

// Send sends any message, to the chat that this one came from where the request
// names none.
func (m *Message) Send(ctx context.Context, req solafon.SendMessageRequest) (*solafon.Message, error) {
	if req.ChatID == 0 {
		req.ChatID = m.From.ID
	}
	return m.client.SendMessage(ctx, req)
}
