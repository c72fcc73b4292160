package codec

import (
	"reflect"
	"strings"
)

// Check is what a decoder of updates makes of texts that are wrong.
type Check struct {
	Name string
	// UTF8, Controls, Required and Behind are "refuses", "replaces" or "takes":
	// for bytes that are not UTF-8, control characters in a string, a required
	// member that is missing, and text behind the end.
	UTF8, Controls, Required, Behind string
}

// ChecksText tells whether a decoder takes no string for what it is not.
func (c Check) ChecksText() bool { return c.UTF8 != "takes" && c.Controls != "takes" }

// Checks gives every decoder of updates some wrong texts.
func Checks() []Check {
	var list []Check
	for _, d := range decodings(update) {
		probe := func(text string) string {
			if err := d.decode([]byte(text)); err != nil {
				return "refuses"
			}
			if strings.Contains(text, "\xff") && !strings.Contains(textOf(d.value()), "\xff") {
				return "replaces"
			}
			return "takes"
		}
		list = append(list, Check{
			Name:     d.name,
			UTF8:     probe(strings.Replace(page, "/start", "a long enough text \xff to be looked at", 1)),
			Controls: probe(strings.Replace(page, "/start", "a long enough text \x01 to be looked at", 1)),
			Required: probe(strings.Replace(page, `"chat":{"id":456,"type":"private"},`, "", 1)),
			Behind:   probe(page + "{}"),
		})
	}
	return list
}

// textOf is an update's text, in whichever type a generator gives it.
func textOf(v any) string {
	text := reflect.ValueOf(v).Elem().FieldByName("Text")
	if text.Kind() == reflect.Struct {
		text = text.FieldByName("Value")
	}
	return text.String()
}
