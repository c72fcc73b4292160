package runtime

import (
	"errors"
	"strings"
)

// masker takes secrets out of texts that others wrote.
type masker []Secret

// shortestMasked is how long a secret has to be to be looked for: a shorter one
// would be found in any text.
const shortestMasked = 4

// text is a text without the secrets.
func (m masker) text(text string) string {
	for _, secret := range m {
		if value := secret.Reveal(); len(value) >= shortestMasked {
			text = strings.ReplaceAll(text, value, redacted)
		}
	}
	return text
}

// start is the start of a text, without the secrets and without the part of one
// that stands where the text was cut.
func (m masker) start(data []byte, length int) string {
	longest := 0
	for _, secret := range m {
		longest = max(longest, len(secret.Reveal()))
	}
	text := m.text(string(data[:min(len(data), length+longest)]))
	for _, secret := range m {
		value := secret.Reveal()
		for n := min(len(value), len(text)); n >= shortestMasked; n-- {
			if strings.HasSuffix(text, value[:n]) {
				text = text[:len(text)-n] + redacted
			}
		}
	}
	return text[:min(len(text), length)]
}

// error is an error whose text has no secrets. What it wraps can be asked for
// by errors.Is and errors.As.
func (m masker) error(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if masked := m.text(text); masked != text {
		return &maskedError{masked, err}
	}
	return err
}

// maskedError stands before an error whose text holds a secret.
type maskedError struct {
	text string
	err  error
}

func (e *maskedError) Error() string        { return e.text }
func (e *maskedError) Is(target error) bool { return errors.Is(e.err, target) }
func (e *maskedError) As(target any) bool   { return errors.As(e.err, target) }
