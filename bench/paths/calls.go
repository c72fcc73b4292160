package paths

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/openai/openai-go"
	"github.com/openai/openai-go/option"

	"github.com/solafon/solafon-go/bench/measure"
	"github.com/solafon/solafon-go/bench/peers"
	"github.com/solafon/solafon-go/bench/peers/ogenapi"
	"github.com/solafon/solafon-go/gen/solafon"
)

const token = "0000000000000000000000000000000000000000000000000000000000000000"

// keeping is an HTTP client that keeps a connection for each caller.
func (e *environment) keeping() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = senders
	e.later(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 30 * time.Second}
}

// byHand is the call as a careful person writes it with the standard library.
func byHand(client *http.Client, base string) func(context.Context) (int64, error) {
	return func(ctx context.Context) (int64, error) {
		body, err := json.Marshal(peers.SendMessageRequest{ChatID: 456, Text: "You said: hello"})
		if err != nil {
			return 0, err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/bot/sendMessage", bytes.NewReader(body))
		if err != nil {
			return 0, err
		}
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Content-Type", "application/json")
		resp, err := client.Do(req)
		if err != nil {
			return 0, err
		}
		defer resp.Body.Close()
		data, err := io.ReadAll(resp.Body)
		if err != nil {
			return 0, err
		}
		var a peers.MessageAnswer
		if err := json.Unmarshal(data, &a); err != nil {
			return 0, err
		}
		if !a.OK || resp.StatusCode != http.StatusOK {
			return 0, fmt.Errorf("%d %s", resp.StatusCode, data)
		}
		return a.Result.MessageID, nil
	}
}

// generated is the call through this project's client.
func generated(client *http.Client, base string) (func(context.Context) (int64, error), error) {
	c, err := solafon.NewClient(token, solafon.WithBaseURL(base), solafon.WithHTTPClient(client))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (int64, error) {
		m, err := c.SendMessage(ctx, solafon.SendMessageRequest{ChatID: 456, Text: "You said: hello"})
		if err != nil {
			return 0, err
		}
		return m.MessageID, nil
	}, nil
}

// credentials are what ogen's client asks for.
type credentials struct{}

func (credentials) AppToken(context.Context, ogenapi.OperationName) (ogenapi.AppToken, error) {
	return ogenapi.AppToken{}, nil
}

func (credentials) BotToken(context.Context, ogenapi.OperationName) (ogenapi.BotToken, error) {
	return ogenapi.BotToken{Token: token}, nil
}

func (credentials) UserJWT(context.Context, ogenapi.OperationName) (ogenapi.UserJWT, error) {
	return ogenapi.UserJWT{}, nil
}

// ogen is the call through the client that ogen makes of the same document.
func ogen(client *http.Client, base string) (func(context.Context) (int64, error), error) {
	c, err := ogenapi.NewClient(base, credentials{}, ogenapi.WithClient(client))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (int64, error) {
		answer, err := c.SendMessage(ctx, &ogenapi.SendMessageRequest{ChatID: 456, Text: "You said: hello"})
		if err != nil {
			return 0, err
		}
		m, ok := answer.(*ogenapi.SendMessageOK)
		if !ok {
			return 0, fmt.Errorf("%T", answer)
		}
		return m.Result.Value.MessageID, nil
	}, nil
}

// generic is the call through a client that serves any type by reflection, as
// openai-go has it.
func generic(client *http.Client, base string) func(context.Context) (int64, error) {
	c := openai.NewClient(option.WithBaseURL(base), option.WithAPIKey(token), option.WithHTTPClient(client), option.WithMaxRetries(2))
	return func(ctx context.Context) (int64, error) {
		var a peers.MessageAnswer
		err := c.Post(ctx, "bot/sendMessage", peers.SendMessageRequest{ChatID: 456, Text: "You said: hello"}, &a)
		return a.Result.MessageID, err
	}
}

// Calls measures a call to a server in another process, by one caller and by
// many, by hand first.
func Calls(config measure.Config) ([]Result, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var e environment
	defer e.close()
	base, err := e.api(ctx)
	if err != nil {
		return nil, err
	}
	ours, err := generated(e.keeping(), base)
	if err != nil {
		return nil, err
	}
	ogens, err := ogen(e.keeping(), base)
	if err != nil {
		return nil, err
	}
	var results []Result
	for _, callers := range []int{1, senders} {
		var contenders []measure.Contender
		for _, c := range []struct {
			name, note string
			call       func(context.Context) (int64, error)
		}{
			{"net/http by hand, with encoding/json", "no retries, no limit of size, no rate limit", byHand(e.keeping(), base)},
			{"the generated client", "", ours},
			{"ogen's generated client", "no retries", ogens},
			{"openai-go's generic client", "", generic(e.keeping(), base)},
		} {
			contenders = append(contenders, measure.Contender{Name: c.name, Note: c.note, Run: func(n int) error {
				return each(n, callers, func() error {
					id, err := c.call(ctx)
					if err == nil && id != 124 {
						err = fmt.Errorf("%s: the message is %d", c.name, id)
					}
					return err
				})
			}})
		}
		costs, err := config.Compare(contenders)
		if err != nil {
			return nil, err
		}
		results = append(results, Result{fmt.Sprintf("a call of sendMessage, %d at a time", callers), costs})
	}
	return results, nil
}
