package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/solafon/solafon-go/bot/bottest"
	"github.com/solafon/solafon-go/gen/solafon"
)

// TestStore keeps changes and reads them again, the newest deliveries alone.
func TestStore(t *testing.T) {
	dir := t.TempDir()
	s, state, err := openStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(bottest.State{}, state); diff != "" {
		t.Errorf("an empty folder holds (-want +got):\n%s", diff)
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	want := bottest.State{
		Settings: bottest.Settings{WebhookURL: "http://127.0.0.1:8000/webhook", Token: "t", Commands: []solafon.BotCommand{{Command: "start", Description: "Say hello"}}},
		Profiles: []bottest.Profile{{ID: 101, Name: "Анна <b>", Language: "ru", Email: "a@example.com"}},
		Messages: []bottest.Message{
			{ID: 102, UserID: 101, Text: "hi", At: at, UpdateID: 102, Done: true, Refused: true},
			{ID: 103, UserID: 101, FromBot: true, Text: "which?", Type: solafon.MessageTypeButton, Buttons: []solafon.Button{{Text: "a", Action: "b"}}, At: at, Done: true},
		},
	}
	changes := []bottest.Change{{Settings: &want.Settings}, {Profile: &want.Profiles[0]}}
	for i := range want.Messages {
		unread := want.Messages[i]
		unread.Done = false // it is written again once it is
		changes = append(changes, bottest.Change{Message: &unread}, bottest.Change{Message: &want.Messages[i]})
	}
	for i := range keptDeliveries + 5 {
		d := bottest.Delivery{ID: int64(200 + i), UpdateID: 102, UserID: 101, Attempt: 1, Status: 200, Duration: time.Millisecond, Request: "{}", Response: "OK", At: at}
		changes = append(changes, bottest.Change{Delivery: &d})
		if i >= 5 {
			want.Deliveries = append(want.Deliveries, d)
		}
	}
	for _, c := range changes {
		if err := s.keep(c); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, state, err = openStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if diff := cmp.Diff(want, state); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
