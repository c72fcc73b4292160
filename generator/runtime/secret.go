package runtime

import (
	"fmt"
	"log/slog"
	"unique"
)

// redacted is what stands for a secret wherever it would be printed.
const redacted = "[redacted]"

// Secret is a text that must not be seen, such as a token. Printed, logged or
// written as JSON it is "[redacted]", also as a part of something else; Reveal
// returns the text. Secrets of the same text are equal. The zero value holds no
// text.
type Secret struct {
	// A handle keeps the text out of reach of fmt, which prints fields that are
	// not exported by reflection and without asking them.
	text unique.Handle[string]
}

// NewSecret hides a text.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{unique.Make(text)}
}

// Reveal returns the text itself.
func (s Secret) Reveal() string {
	if s == (Secret{}) {
		return ""
	}
	return s.text.Value()
}

// Equal reports whether both hold the same text.
func (s Secret) Equal(other Secret) bool { return s == other }

// Format writes "[redacted]" whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { f.Write([]byte(redacted)) }

// String returns "[redacted]".
func (s Secret) String() string { return redacted }

// LogValue returns "[redacted]".
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns "[redacted]".
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// UnmarshalText takes the text.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = NewSecret(string(text))
	return nil
}
