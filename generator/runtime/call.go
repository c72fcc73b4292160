package runtime

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// maxAnswer is how many bytes of an answer are read, unpacked.
const maxAnswer = 10 << 20

// credential is a way to authenticate that the document describes.
type credential struct {
	name   string // as the document has it
	header string // where the value goes
	prefix string // what stands in front of it
	pass   string // what a caller has to pass to have it
}

// operation is what all calls of one operation share.
type operation struct {
	name        string
	method      string
	idempotent  bool          // a call can be repeated without harm
	credentials []*credential // the first that the client has is sent
	anonymous   bool          // it can be called without any of them
	envelope    envelope
	object      bool // success answers an object, of which nothing is returned
	failure     failure
	advice      []advice
}

// envelope names the members around a result; result is empty where there is
// no envelope.
type envelope struct{ ok, result string }

// failure names the members of a refusal.
type failure struct{ code, description string }

// call makes a call, in as many attempts as it may take, and hands its result to
// decode, which is nil where success says all. body is nil where there is none.
func (c *Client) call(ctx context.Context, op *operation, path string, body []byte, decode func(*decoder, int) int) error {
	account, missing := c.account(op)
	if missing != nil {
		return missing
	}
	start := time.Now()
	var last *Error
	for number := 1; ; number++ {
		if err := c.admit(ctx, account); err != nil {
			if last == nil {
				return c.failed(op, "nothing was sent: "+err.Error(), err)
			}
			last.stopped(err)
			return last
		}
		a := &attempt{Context: ctx, op: op, number: number}
		if last = c.try(a, account, path, body, decode); last == nil {
			return nil
		}
		if last.Attempts = number; !c.retry.again(a, start, last) {
			return last
		}
	}
}

// account finds what to authenticate with, or says what is missing.
func (c *Client) account(op *operation) (*account, error) {
	for _, scheme := range op.credentials {
		if account := c.accounts[scheme]; account != nil {
			return account, nil
		}
	}
	if len(op.credentials) > 0 && !op.anonymous {
		scheme := op.credentials[0]
		return nil, c.failed(op, fmt.Sprintf("nothing was sent: it needs the %s; pass %s", scheme.name, scheme.pass), nil)
	}
	return c.anonymous, nil
}

// admit waits until a request may be sent.
func (c *Client) admit(ctx context.Context, account *account) error {
	if c.rate != nil {
		if err := c.rate.take(ctx); err != nil {
			return err
		}
	}
	return account.pace.take(ctx)
}

// try makes one attempt.
func (c *Client) try(a *attempt, account *account, path string, body []byte, decode func(*decoder, int) int) *Error {
	resp, err := c.send(a, account, path, body)
	account.pace.answered(resp, c.limits)
	if err != nil {
		e := c.failed(a.op, "no answer: "+err.Error(), err)
		e.lost = !errors.As(err, new(*redirectError))
		return e
	}
	data, err := readAnswer(resp)
	switch {
	case err == errTooLarge:
		return c.answered(a.op, resp, data, fmt.Sprintf("the answer is larger than %d bytes", maxAnswer), nil)
	case err != nil:
		e := c.answered(a.op, resp, data, "the answer broke off: "+err.Error(), err)
		e.lost = true
		return e
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		return c.refused(a.op, resp, data)
	}
	return c.decode(a.op, resp, data, decode)
}

var errTooLarge = errors.New("the answer is too large")

// readAnswer reads no more than is allowed, and closes the body. A body that was
// read to its end gives its connection back.
func readAnswer(resp *http.Response) (data []byte, err error) {
	defer resp.Body.Close()
	switch n := resp.ContentLength; {
	case n > maxAnswer:
		data, _ = io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
		return data, errTooLarge
	case n >= 0:
		data = make([]byte, n)
		read, err := io.ReadFull(resp.Body, data)
		if err == nil {
			_, err = io.Copy(io.Discard, resp.Body)
		}
		return data[:read], err
	}
	data, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if len(data) > maxAnswer {
		return data[:maxErrorBody], errTooLarge
	}
	return data, err
}

// decode reads the answer of a call that succeeded.
func (c *Client) decode(op *operation, resp *http.Response, data []byte, result func(*decoder, int) int) *Error {
	var d decoder
	d.begin(data, copied)
	end, refused := 0, false
	switch {
	case op.envelope.result != "":
		end, refused = op.unwrap(&d, result)
	case result != nil:
		end = result(&d, 0)
	case op.object:
		end = d.members(0)
	default:
		return nil
	}
	if err := d.finish(end); err != nil {
		return c.answered(op, resp, data, c.misfit(data, err), err)
	}
	if refused {
		return c.refused(op, resp, data)
	}
	return nil
}

// unwrap reads an envelope and the result in it, and returns where it ends and
// whether it says that the call failed. A result that comes before the word that
// it is one is read once that is known.
func (op *operation) unwrap(d *decoder, result func(*decoder, int) int) (end int, refused bool) {
	said, found, ahead := op.envelope.ok == "", result == nil, -1
	i := d.object(0)
	for name := i; i >= 0; i = d.next(i, name) {
		name = i
		key, value := d.key(i)
		switch {
		case key == op.envelope.ok:
			said = true
			var ok bool
			ok, i = d.bool(value, notNull)
			refused = !ok
		case key == op.envelope.result && result != nil && said && !refused:
			found, ahead = true, -1
			i = result(d, value)
		case key == op.envelope.result && result != nil:
			found, ahead = true, value
			i = d.skip(value)
		default:
			i = d.skip(value)
		}
	}
	i = ^i
	switch {
	case refused:
	case !said:
		d.missing(i, 0, op.envelope.ok)
	case !found:
		d.missing(i, 0, op.envelope.result)
	case ahead >= 0 && d.err == nil:
		d.depth++
		if result(d, ahead); d.err != nil {
			d.under(op.envelope.result)
		}
		d.depth--
	}
	return i, refused
}

// invalid makes the failure of a call whose arguments break a rule.
func (c *Client) invalid(op *operation, err error) error {
	return c.failed(op, "nothing was sent: "+err.Error(), err)
}
