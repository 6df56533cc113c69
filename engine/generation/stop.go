package generation

import "bytes"

// stopper finds stop texts in a stream of text and holds back what may be the beginning of one. Control tokens have names that
// the output does not show: a stop text is found with them and without.
type stopper struct {
	stops []string
	deaf  bool // stop texts that end now are text like any other
	held  []byte
	kinds []kind // of the bytes of held
}

// kind says whether a byte is shown, or begins or continues a name that is not.
type kind uint8

const (
	shown kind = iota
	nameStart
	nameRest
)

// push takes new text and returns what is certain; hit reports that a stop text came, which ends the output before it.
func (s *stopper) push(text string) (out string, hit bool) { return s.take(text, shown) }

// pushHidden takes the name of a control token that the output does not show.
func (s *stopper) pushHidden(name string) (out string, hit bool) { return s.take(name, nameStart) }

func (s *stopper) take(text string, first kind) (out string, hit bool) {
	if len(s.stops) == 0 {
		if first == shown {
			return text, false
		}
		return "", false
	}
	s.held = append(s.held, text...)
	for i := range len(text) {
		if i == 1 && first == nameStart {
			first = nameRest
		}
		s.kinds = append(s.kinds, first)
	}
	visible, places := s.shown()
	at, keep := s.find(s.held, func(at int) bool { return at == len(s.kinds) || s.kinds[at] != nameRest })
	if len(visible) < len(s.held) {
		other, from := s.find(visible, func(int) bool { return true })
		if other >= 0 && (at < 0 || places[other] < at) {
			at = places[other]
		}
		keep = min(keep, places[from])
	}
	if at >= 0 {
		out = s.cut(at)
		s.held, s.kinds = s.held[:0], s.kinds[:0]
		return out, true
	}
	return s.cut(keep), false
}

// find gives where the first stop text begins in text, or -1, and where one begins that may yet come. border tells where one may
// begin and end: not inside a name.
func (s *stopper) find(text []byte, border func(at int) bool) (first, keep int) {
	first, keep = -1, len(text)
	for _, stop := range s.stops {
		for at := 0; !s.deaf && at+len(stop) <= len(text) && (first < 0 || at < first); at++ {
			next := bytes.Index(text[at:], []byte(stop))
			if next < 0 {
				break
			}
			if at += next; border(at) && border(at+len(stop)) && (first < 0 || at < first) {
				first = at
			}
		}
		for n := min(len(stop)-1, len(text)); n > len(text)-keep; n-- {
			if border(len(text)-n) && string(text[len(text)-n:]) == stop[:n] {
				keep = len(text) - n
				break
			}
		}
	}
	return first, keep
}

// shown gives held without its hidden bytes, and where in held each place of that lies.
func (s *stopper) shown() (text []byte, places []int) {
	for i, b := range s.held {
		if s.kinds[i] == shown {
			text, places = append(text, b), append(places, i)
		}
	}
	return text, append(places, len(s.held))
}

// cut takes the first n bytes from held and gives those that are shown.
func (s *stopper) cut(n int) string {
	var out []byte
	for i, b := range s.held[:n] {
		if s.kinds[i] == shown {
			out = append(out, b)
		}
	}
	s.held, s.kinds = append(s.held[:0], s.held[n:]...), append(s.kinds[:0], s.kinds[n:]...)
	return string(out)
}

// flush returns what was held back.
func (s *stopper) flush() string { return s.cut(len(s.held)) }
