package tokenizer

// Type says what a token is for. Its values are those of GGUF's tokenizer.ggml.token_type.
type Type int32

// The token types of GGUF.
const (
	Undefined   Type = iota
	Normal           // text
	Unknown          // stands for what the vocabulary lacks
	Control          // a mark such as the end of a turn; never made from plain text
	UserDefined      // taken out of any text before it is split
	Unused           // a place in the vocabulary that no text uses
	Byte             // one byte, spelt <0xNN>
)

// mark is what tokenization asks about a token: its Type, widened by what its name says.
type mark uint8

const (
	markNormal mark = 1 << iota
	markUnknown
	markControl
	markUserDefined
	markByte
	markStripRight // white space after the token belongs to it
	markStripLeft  // and that before it

	markSpecial = markUnknown | markControl | markUserDefined
	markHidden  = markUnknown | markControl
)

func markOf(t Type) mark {
	switch t {
	case Normal:
		return markNormal
	case Unknown:
		return markUnknown
	case Control:
		return markControl
	case UserDefined:
		return markUserDefined
	case Byte:
		return markByte
	}
	return 0
}
