package step

// Masks are what the Masked outputs of a step are drawn under. Sets of tokens lie in numbered slots on the GPU, a bit a token, token i
// being bit i%32 of word i/32, and stay there until they are written over.
type Masks struct {
	Words   int // of a set
	Slots   []int32
	Bits    []uint32 // what is to be written into Slots first, one after another
	Choices []Choice
	Ends    []int // of each Masked output, where its choices end
}

// Choice is a mask, for an output whose token before is the right one. The first that fits is taken; where none does, nothing is drawn.
type Choice struct {
	Kind  ChoiceKind
	Token int32 // of OfToken
	Set   int32 // of OfSet: the slot
	Mask  int32 // its slot; EmptySlot: nothing of the output is to land
}

// ChoiceKind says behind which tokens a choice is taken.
type ChoiceKind uint8

// The kinds of choices.
const (
	Always ChoiceKind = iota
	OfToken
	OfSet
)

// MostChoices is how many choices an output has at most.
const MostChoices = 128

// EmptySlot is the slot that is never written: no token is in it.
const EmptySlot int32 = 0

// Name names a set of tokens. Sets of one name are equal.
type Name struct {
	Kind NameKind
	ID   uint64
}

// NameKind says what a name is of.
type NameKind uint8

// The kinds of names. The zero name is no set's.
const (
	NoName     NameKind = iota
	Place               // the mask of a place in a grammar
	PlaceOn             // the same without the tokens of the end
	OneToken            // ID alone
	SomeTokens          // a set that grammar.Next names
)

// Reset empties m for sets of so many words, keeping its memory.
func (m *Masks) Reset(words int) {
	m.Words, m.Slots, m.Bits, m.Choices, m.Ends = words, m.Slots[:0], m.Bits[:0], m.Choices[:0], m.Ends[:0]
}

// Write gives the bits to be written into a slot, which are 0.
func (m *Masks) Write(slot int32) []uint32 {
	at, end := len(m.Bits), len(m.Bits)+m.Words
	if end > cap(m.Bits) {
		m.Bits = append(make([]uint32, 0, 2*end), m.Bits...)
	}
	m.Bits = m.Bits[:end]
	clear(m.Bits[at:])
	m.Slots = append(m.Slots, slot)
	return m.Bits[at:]
}

// Unwrite takes the last Write back.
func (m *Masks) Unwrite() {
	m.Slots, m.Bits = m.Slots[:len(m.Slots)-1], m.Bits[:len(m.Bits)-m.Words]
}

// Choose adds a choice to those of the output in the making, which End ends.
func (m *Masks) Choose(c Choice) { m.Choices = append(m.Choices, c) }

// End ends an output.
func (m *Masks) End() { m.Ends = append(m.Ends, len(m.Choices)) }

// Span is where an output's choices lie.
func (m *Masks) Span(output int) (from, end int) {
	if output > 0 {
		from = m.Ends[output-1]
	}
	return from, m.Ends[output]
}

// MaskSlots is how many slots there are where steps have so many outputs: one for the mask of each, EmptySlot, and those for what may
// be asked for again.
func MaskSlots(outputs, words int) int { return 1 + outputs + min(mostSlots, slotBytes/(4*words)) }

const (
	mostSlots = 511
	slotBytes = 8 << 20
)
