package grammar

import "bytes"

// ForcedTokens spells what comes next whatever is chosen as tokens: those that encode gives, as far as no other token could
// reach beyond the forced text, for that is then a choice.
func (m *Matcher) ForcedTokens(encode func(text []byte) []int32) []int32 {
	rest := m.Forced()
	if len(rest) == 0 {
		return nil
	}
	tokens := encode(rest)
	c, mask := m.Clone(), make([]uint32, m.m.v.MaskWords())
	for i, id := range tokens {
		text, ok := m.m.v.text(id)
		if !ok || !bytes.HasPrefix(rest, text) || c.reaches(len(rest), mask) || !c.AcceptBytes(text) {
			return tokens[:i]
		}
		rest = rest[len(text):]
	}
	return tokens
}

// reaches tells whether a token of more than so many bytes may come.
func (m *Matcher) reaches(length int, mask []uint32) bool {
	if length >= m.m.v.longest {
		return false
	}
	if m.Mask(mask) != nil {
		return true
	}
	for i, w := range mask {
		for ; w != 0; w &= w - 1 {
			if text, _ := m.m.v.text(int32(32*i + trailing(w))); len(text) > length {
				return true
			}
		}
	}
	return false
}
