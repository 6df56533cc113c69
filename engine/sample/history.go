package sample

// History is what comes before the tokens that a lane draws, as far as penalties ask for it.
type History struct {
	Tokens   []int32   // the prompt, then what was drawn so far; not kept
	Prompt   int       // how many of them are the prompt
	Room     int       // tokens that may still come
	Breakers *Breakers // Params.DRY's; nil: none
	Raw      bool      // raw logits are wanted beside, other than by Params.Logprobs
}
