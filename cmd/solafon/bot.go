package main

import (
	"context"
	"net/http"
	"sync"

	"github.com/solafon/solafon-go/gen/solafon"
)

// newBot is the bot of the demo, whole: it welcomes, echoes, and answers each
// update once however often it comes.
func newBot(client *solafon.Client, appToken string) http.Handler {
	var handled sync.Map
	return solafon.NewWebhookHandler(func(ctx context.Context, u solafon.Update) error {
		if _, again := handled.LoadOrStore(u.UpdateID, true); again {
			return nil
		}
		reply := "You said: " + u.Text
		if u.Text == "/start" {
			reply = "Welcome to my app!"
		}
		_, err := client.SendMessage(ctx, solafon.SendMessageRequest{ChatID: u.From.ID, Text: reply})
		if err != nil {
			handled.Delete(u.UpdateID) // so that the platform's next try is not taken for a duplicate
		}
		return err
	}, solafon.WithAppToken(appToken))
}
