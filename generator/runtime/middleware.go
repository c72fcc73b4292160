package runtime

import (
	"context"
	"errors"
)

// WithMiddleware puts a function around what sends the requests. It sees each
// attempt of each call, with the operation's name in the request's context:
// OperationFromContext and AttemptFromContext tell. The first that is given is
// the outermost. A request must be sent once at most, or its promise not to be
// repeated is broken; its body can be read from GetBody.
func WithMiddleware(middleware func(next Doer) Doer) Option {
	return func(c *Client) error {
		if middleware == nil {
			return errors.New("WithMiddleware: the function is nil: leave the option out")
		}
		c.middleware = append(c.middleware, middleware)
		return nil
	}
}

// OperationFromContext is the name of the operation, as the API's document has
// it, that a request is an attempt of. It is empty for a context that is not
// such a request's.
func OperationFromContext(ctx context.Context) string {
	if a, ok := ctx.Value(attemptKey{}).(*attempt); ok {
		return a.op.name
	}
	return ""
}

// AttemptFromContext is which attempt of a call a request is: 1 for the first,
// and 0 for a context that is not a request's of this package.
func AttemptFromContext(ctx context.Context) int {
	if a, ok := ctx.Value(attemptKey{}).(*attempt); ok {
		return a.number
	}
	return 0
}
