package generator

import (
	"go/token"
	"go/types"
	"strconv"
	"strings"
	"unicode"
)

// initialisms are written in one case, as Go has it.
var initialisms = map[string]bool{
	"API": true, "ASCII": true, "CPU": true, "CSS": true, "DNS": true, "EOF": true, "GUID": true, "HTML": true,
	"HTTP": true, "HTTPS": true, "ID": true, "IP": true, "JSON": true, "JWT": true, "OS": true, "QPS": true, "RAM": true,
	"RPC": true, "SLA": true, "SMTP": true, "SQL": true, "SSH": true, "TCP": true, "TLS": true, "TTL": true, "UDP": true,
	"UI": true, "UID": true, "URI": true, "URL": true, "UTC": true, "UTF8": true, "UUID": true, "VM": true, "XML": true,
}

// words parts a name of the document's where its author did: at anything that
// is neither letter nor digit, and where small letters turn into large ones.
func words(name string) []string {
	var list []string
	var word []rune
	flush := func() {
		if len(word) > 0 {
			list = append(list, string(word))
			word = nil
		}
	}
	runes := []rune(name)
	for i, r := range runes {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			flush()
			continue
		case unicode.IsUpper(r) && i > 0:
			afterSmall := !unicode.IsUpper(runes[i-1])
			beforeSmall := i+1 < len(runes) && unicode.IsLower(runes[i+1]) && unicode.IsUpper(runes[i-1])
			if plural := i+2 == len(runes) && runes[i+1] == 's'; afterSmall || beforeSmall && !plural {
				flush()
			}
		}
		word = append(word, r)
	}
	flush()
	return list
}

// goName is the exported Go name of a name in the document; it is empty when
// the name has no letter or digit to make one of.
func goName(name string) string {
	goName := capitals(name)
	if first, _ := firstRune(goName); goName != "" && !unicode.IsUpper(first) {
		return "X" + goName // digits, and letters of scripts without large ones
	}
	return goName
}

// capitals is what goName makes before it sees to the first letter.
func capitals(name string) string {
	var b strings.Builder
	for _, word := range words(name) {
		b.WriteString(capital(word))
	}
	return b.String()
}

// lowerName is the Go name of a parameter or a variable. One that Go or the
// generated code needs for itself gets a suffix.
func lowerName(name string) string {
	list := words(name)
	for i, word := range list {
		if i > 0 {
			list[i] = capital(word)
		} else {
			list[i] = strings.ToLower(word)
		}
	}
	lower := strings.Join(list, "")
	if first, _ := firstRune(lower); unicode.IsDigit(first) {
		lower = "x" + lower
	}
	if token.IsKeyword(lower) || types.Universe.Lookup(lower) != nil || taken[lower] {
		return lower + "Param"
	}
	return lower
}

// taken are the names that generated functions use for themselves.
var taken = map[string]bool{
	"c": true, "ctx": true, "d": true, "err": true, "req": true, "result": true, "body": true, "opts": true, "path": true, "h": true, "w": true, "r": true, "s": true,
}

func capital(word string) string {
	upper := strings.ToUpper(word)
	if initialisms[upper] {
		return upper
	}
	if stem, ok := strings.CutSuffix(upper, "S"); ok && initialisms[stem] {
		return stem + "s"
	}
	first, size := firstRune(word)
	if first == 0 {
		return ""
	}
	rest := word[size:]
	if rest == strings.ToUpper(rest) && len(rest) > 3 {
		rest = strings.ToLower(rest) // SHOUTED words become words
	}
	return string(unicode.ToUpper(first)) + rest
}

func firstRune(s string) (rune, int) {
	for _, r := range s {
		return r, len(string(r))
	}
	return 0, 0
}

// scope hands out Go names of which no two are the same.
type scope map[string]bool

// name returns want; where that is taken, want with the suffix; and where that
// is taken too, the same with the first number that makes it new.
func (s scope) name(want, suffix string) string {
	name := want
	for n := 2; s[name]; n++ {
		if name = want + suffix; s[name] {
			name += strconv.Itoa(n)
		}
	}
	s[name] = true
	return name
}
