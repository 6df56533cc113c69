package chat

import (
	"slices"
	"strings"
	"unicode"
)

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
			if !isScheme(s) {
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
	switch {
	case isWeb(word):
		if !strings.HasPrefix(word, "https://") && !strings.HasPrefix(word, "http://") {
			word = "https://" + word
		}
		return `<a href="` + word + `"` + l.more + `>` + shown + `</a>`
	case isMail && isMailbox(address):
		return `<a href="` + word + `">` + address + `</a>`
	case strings.Contains(word, "@") && !strings.HasPrefix(word, "www.") && !strings.HasPrefix(word, "@") &&
		!strings.Contains(word, ":") && isMailbox(word):
		return `<a href="mailto:` + word + `">` + word + `</a>`
	}
	for _, scheme := range l.schemes {
		if word != scheme && strings.HasPrefix(word, scheme) {
			word = `<a href="` + word + `"` + l.more + `>` + word + `</a>`
		}
	}
	return word
}

// isWeb tells whether a word is the address of a page, as Jinja sees it: with a scheme or www. in front, or of a well-known domain.
func isWeb(word string) bool {
	lower := strings.ToLower(word)
	rest, scheme := strings.CutPrefix(lower, "https://")
	if !scheme {
		rest, scheme = strings.CutPrefix(lower, "http://")
	}
	if scheme && isNumberedHost(hostOf(rest)) {
		return true
	}
	www := false
	if !scheme {
		rest, www = strings.CutPrefix(lower, "www.")
	}
	if scheme || www {
		if labels := strings.Split(hostOf(rest), "."); areLabels(labels[:len(labels)-1], 1, len(word)) && isTopLevel(labels[len(labels)-1]) {
			return true
		}
	}
	labels := strings.Split(hostOf(lower), ".")
	known := []string{"com", "net", "int", "edu", "gov", "org", "info", "mil"}
	return len(labels) > 1 && areLabels(labels[:len(labels)-1], 2, 63) && slices.Contains(known, labels[len(labels)-1])
}

// hostOf gives an address's host, without port and path.
func hostOf(address string) string {
	if end := strings.IndexAny(address, "/?#"); end >= 0 {
		address = address[:end]
	}
	if at := strings.LastIndexByte(address, ':'); at >= 0 && !strings.HasSuffix(address, "]") {
		if port := address[at+1:]; all(port, 1, 5, func(r rune) bool { return unicode.Is(unicode.Nd, r) }) {
			address = address[:at]
		}
	}
	return address
}

func all(s string, low, high int, is func(rune) bool) bool {
	n := runeCount(s)
	return low <= n && n <= high && strings.IndexFunc(s, func(r rune) bool { return !is(r) }) < 0
}

func areLabels(labels []string, low, high int) bool {
	return !slices.ContainsFunc(labels, func(label string) bool {
		return !all(label, low, high, func(r rune) bool { return r == '%' || r == '-' || isWord(r) })
	})
}

func isTopLevel(label string) bool {
	if all(label, 2, 63, func(r rune) bool { return 'a' <= r && r <= 'z' }) {
		return true
	}
	rest, ok := strings.CutPrefix(label, "xn--")
	return ok && all(rest, 2, 59, func(r rune) bool { return r == '%' || isWord(r) })
}

// isNumberedHost tells IPv4 and IPv6 addresses.
func isNumberedHost(host string) bool {
	decimal := func(r rune) bool { return unicode.Is(unicode.Nd, r) }
	if inside, ok := strings.CutPrefix(host, "["); ok {
		inside, ok = strings.CutSuffix(inside, "]")
		groups := strings.Split(inside, ":")
		return ok && len(groups) >= 3 && len(groups) <= 9 && !slices.ContainsFunc(groups, func(group string) bool {
			return !all(group, 0, 4, func(r rune) bool { return decimal(r) || 'a' <= r && r <= 'f' })
		})
	}
	parts := strings.Split(host, ".")
	return len(parts) == 4 && !slices.ContainsFunc(parts, func(part string) bool { return !all(part, 1, 3, decimal) })
}

func isMailbox(word string) bool {
	at := strings.LastIndexByte(word, '@')
	if at < 1 {
		return false
	}
	host := word[at+1:]
	dot := strings.LastIndexByte(host, '.')
	return dot > 0 && all(host[dot+1:], 1, len(host), isWord) && all(host[:dot], 1, len(host), func(r rune) bool { return r == '.' || r == '-' || isWord(r) }) &&
		host[0] != '.' && host[0] != '-'
}

func isScheme(s string) bool {
	name := strings.TrimSuffix(strings.TrimSuffix(s, "/"), "/")
	name, ok := strings.CutSuffix(name, ":")
	return ok && all(name, 2, len(s), func(r rune) bool { return strings.ContainsRune(".+-", r) || isWord(r) })
}
