package chat

import (
	"html"
	"regexp"
	"slices"
	"strings"
	"sync"
)

func unescapeHTML(s string) string { return html.UnescapeString(s) }

// xmlAttributes writes a dict as the attributes of a tag.
func xmlAttributes(e *evaluator, line int, v any, a []any) any {
	d, ok := v.(*dict)
	if !ok {
		fail(line, "xmlattr needs a dict, not %s", describe(v))
	}
	var parts []any
	for _, key := range d.keys {
		value := d.at(key)
		if _, none := value.(undefined); none || value == nil {
			continue
		}
		name := wantText(line, key, "an attribute's name")
		if strings.ContainsAny(name, " \t\n\r\f\v/>=") {
			fail(line, "an attribute's name cannot be %q", name)
		}
		parts = append(parts, string(e.escapeValue(line, key))+`="`+string(e.escapeValue(line, value))+`"`)
	}
	text := e.joinAll(line, parts, " ")
	if text != "" && truth(or(a[0], true)) {
		text = " " + text
	}
	return e.safe(text)
}

// urlEncode quotes a text for a URL's path, or pairs for its query.
func urlEncode(e *evaluator, line int, v any, _ []any) any {
	if _, ok := textOf(v); ok || !iterable(v) {
		return quoteURL(e.text(line, v), "/")
	}
	if d, ok := v.(*dict); ok {
		v = &view{d, "items"}
	}
	quote := func(v any) string { return strings.ReplaceAll(quoteURL(e.text(line, v), ""), "%20", "+") }
	var parts []any
	for item := range e.each(line, v) {
		pair := e.items(line, item)
		if len(pair) != 2 {
			fail(line, "urlencode needs pairs, not %d items", len(pair))
		}
		parts = append(parts, quote(pair[0])+"="+quote(pair[1]))
	}
	return e.joinAll(line, parts, "&")
}

func quoteURL(s, keep string) string {
	const hex = "0123456789ABCDEF"
	var out strings.Builder
	for i := range len(s) {
		c := s[i]
		if isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'z' || strings.IndexByte("_.-~"+keep, c) >= 0 {
			out.WriteByte(c)
		} else {
			out.WriteString("%" + string(hex[c>>4]) + string(hex[c&15]))
		}
	}
	return out.String()
}

// What urlize takes for an address, as Jinja does.
var addresses = sync.OnceValue(func() (a struct{ web, mail, scheme *regexp.Regexp }) {
	const word = `[\p{L}\p{N}_]`
	name := `[\p{L}\p{N}_%-]`
	a.web = regexp.MustCompile(`^(?i:(https?://|www\.)(` + name + `+\.)*([a-z]{2,63}|xn--[\p{L}\p{N}_%]{2,59})|(` + name +
		`{2,63}\.)+(com|net|int|edu|gov|org|info|mil)|(https?://)((\p{Nd}{1,3}(\.\p{Nd}{1,3}){3})|(\[([\p{Nd}a-f]{0,4}:){2}([\p{Nd}a-f]{0,4}:?){1,6}\])))(:\p{Nd}{1,5})?([/?#]\S*)?$`)
	a.mail = regexp.MustCompile(`^\S+@` + word + `[\p{L}\p{N}_.-]*\.` + word + `+$`)
	a.scheme = regexp.MustCompile(`^[\p{L}\p{N}_.+-]{2,}:/{0,2}$`)
	return a
})

// urlize makes links of the addresses in a text, which is escaped.
func urlize(e *evaluator, line int, v any, a []any) any {
	var rel []string
	if given := or(a[3], nil); given != nil {
		rel = strings.Fields(wantText(line, given, "rel"))
	}
	if truth(or(a[1], false)) {
		rel = append(rel, "nofollow")
	}
	rel = append(rel, "noopener")
	slices.Sort(rel)
	l := linker{limit: -1, more: ` rel="` + e.escape(line, strings.Join(slices.Compact(rel), " ")) + `"`}
	if target := or(a[2], nil); target != nil && truth(target) {
		l.more += ` target="` + string(e.escapeValue(line, target)) + `"`
	}
	if limit := or(a[0], nil); limit != nil {
		l.limit = wantInteger(line, limit, "trim_url_limit")
	}
	if schemes := or(a[4], nil); schemes != nil {
		for scheme := range e.each(line, schemes) {
			s := wantText(line, scheme, "a scheme")
			if !addresses().scheme.MatchString(s) {
				fail(line, "%q is no scheme of a URL", s)
			}
			l.schemes = append(l.schemes, s)
		}
	}
	text := string(e.escapeValue(line, v))
	var out strings.Builder
	for text != "" {
		end := strings.IndexFunc(text, isSpace)
		if end < 0 {
			end = len(text)
		}
		e.cost(line, 1+end>>2)
		out.WriteString(l.word(text[:end]))
		e.fits(line, out.Len())
		next := strings.IndexFunc(text[end:], func(r rune) bool { return !isSpace(r) })
		if next < 0 {
			next = len(text) - end
		}
		out.WriteString(text[end : end+next])
		text = text[end+next:]
	}
	return e.safe(out.String())
}

// linker makes a link of a word.
type linker struct {
	limit   int // letters of an address that are shown, or -1
	more    string
	schemes []string
}

func (l linker) word(word string) string {
	head, middle, tail := "", word, ""
	for {
		n := affixOf(middle, strings.HasPrefix, "(", "<", "&lt;")
		if n == 0 {
			break
		}
		head, middle = head+middle[:n], middle[n:]
	}
	for {
		n := affixOf(middle, strings.HasSuffix, ")", ">", ".", ",", "\n", "&gt;")
		if n == 0 {
			break
		}
		middle, tail = middle[:len(middle)-n], middle[len(middle)-n:]+tail
	}
	// Brackets that are open in the address are closed in it.
	for _, pair := range [][2]string{{"(", ")"}, {"<", ">"}, {"&lt;", "&gt;"}} {
		opened := strings.Count(middle, pair[0])
		if opened <= strings.Count(middle, pair[1]) {
			continue
		}
		for range min(opened, strings.Count(tail, pair[1])) {
			end := strings.Index(tail, pair[1]) + len(pair[1])
			middle, tail = middle+tail[:end], tail[end:]
		}
	}
	return head + l.link(middle) + tail
}

func affixOf(s string, has func(s, affix string) bool, set ...string) int {
	for _, affix := range set {
		if has(s, affix) {
			return len(affix)
		}
	}
	return 0
}

func (l linker) link(word string) string {
	shown := word
	if runes := []rune(word); l.limit >= 0 && len(runes) > l.limit {
		shown = string(runes[:l.limit]) + "..."
	}
	address, isMail := strings.CutPrefix(word, "mailto:")
	a := addresses()
	switch {
	case a.web.MatchString(word):
		if !strings.HasPrefix(word, "https://") && !strings.HasPrefix(word, "http://") {
			word = "https://" + word
		}
		return `<a href="` + word + `"` + l.more + `>` + shown + `</a>`
	case isMail && a.mail.MatchString(address):
		return `<a href="` + word + `">` + address + `</a>`
	case strings.Contains(word, "@") && !strings.HasPrefix(word, "www.") && !strings.HasPrefix(word, "@") &&
		!strings.Contains(word, ":") && a.mail.MatchString(word):
		return `<a href="mailto:` + word + `">` + word + `</a>`
	}
	for _, scheme := range l.schemes {
		if word != scheme && strings.HasPrefix(word, scheme) {
			word = `<a href="` + word + `"` + l.more + `>` + word + `</a>`
		}
	}
	return word
}
