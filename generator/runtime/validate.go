package runtime

import (
	"errors"
	"net/url"
)

// ValidationError tells which value breaks a rule of the API's document.
type ValidationError struct {
	// Path is where the value is, in the API's own names, such as
	// commands[2].command.
	Path string
	// Reason says which rule it breaks.
	Reason string
}

// Error says what breaks which rule on one line.
func (e *ValidationError) Error() string { return e.Path + " " + e.Reason }

// below puts the place of a value in front of the path of a rule broken in it.
func below(err error, place string) error {
	var broken *ValidationError
	if errors.As(err, &broken) {
		broken.Path = place + "." + broken.Path
	}
	return err
}

func absoluteURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Scheme != "" && u.Host != ""
}
