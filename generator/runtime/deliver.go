package runtime

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"
)

// maxAnswerKept is how many bytes of a bot's answer a Delivery keeps.
const maxAnswerKept = 4 << 10

// Delivery is one attempt to deliver a payload.
type Delivery struct {
	// URL is where it went.
	URL string
	// Request is the body that was sent.
	Request []byte
	// Status is the answer's HTTP status; 0 when no answer came in time.
	Status int
	// Response is the start of the answer's body, 4 KiB at most.
	Response []byte
	// Start is when the attempt began, and Duration how long it took.
	Start    time.Time
	Duration time.Duration
	// Err is why no answer came.
	Err error
}

// OK reports whether the delivery was accepted: any answer of 2xx.
func (d *Delivery) OK() bool { return d.Status/100 == 2 }

// deliver POSTs a body and waits for the answer no longer than timeout.
func deliver(ctx context.Context, client *http.Client, url string, header http.Header, body []byte, timeout time.Duration) *Delivery {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	d := &Delivery{URL: url, Request: body, Start: time.Now()}
	d.Status, d.Response, d.Err = post(ctx, client, url, header, body)
	d.Duration = time.Since(d.Start)
	return d
}

func post(ctx context.Context, client *http.Client, url string, header http.Header, body []byte) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header = header
	req.Header.Set("Content-Type", "application/json")
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerKept))
	if err != nil {
		return 0, nil, err
	}
	return resp.StatusCode, answer, nil
}

// reshape turns a flat payload into another of its forms: without the
// identifier, and under a member of its own where under is not empty.
func reshape(flat []byte, id, under string) ([]byte, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(flat, &members); err != nil {
		return nil, err
	}
	identifier := members[id]
	delete(members, id)
	if under == "" {
		return json.Marshal(members)
	}
	return json.Marshal(map[string]any{id: identifier, under: members})
}
