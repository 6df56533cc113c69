package kernel

// Choices are what outputs may be drawn under, as pick_mask.wgsl reads them: the number of outputs; of each where its choices are, or 0 where it has no
// mask, and how many; then those of all, of each what it is for and the number of its mask.
type Choices []uint32

// What a choice is for, if not for a token: any token, or those of a set by its number among the masks.
const (
	AnyToken = 0xFFFFFFFF
	InSet    = 1 << 31
)

// MostChoices is how many choices an output has at most.
const MostChoices = 128

// ChoiceBytes is the size of all choices of so many outputs.
func ChoiceBytes(outputs int) uint64 { return 4 + 8*uint64(outputs)*(1+MostChoices) }

// Reset empties the list for so many outputs.
func (c *Choices) Reset(outputs int) {
	*c = append((*c)[:0], uint32(outputs))
	for range 2 * outputs {
		*c = append(*c, 0)
	}
}

// Output begins with an output's choices.
func (c *Choices) Output(o int) { (*c)[1+2*o] = uint32(len(*c)) }

// Add gives the output one more. The first that fits is taken; where none does, mask 0.
func (c *Choices) Add(o int, what, mask uint32) {
	*c = append(*c, what, mask)
	(*c)[2+2*o]++
}
