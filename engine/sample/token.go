package sample

// Candidate is a token with its raw logit and its log-probability before temperature and penalties.
type Candidate struct {
	ID      int32   `json:"id"`
	Logit   float32 `json:"logit"`
	Logprob float32 `json:"logprob"`
}

// Token is one drawn token. Without log-probabilities only its ID is set.
type Token struct {
	Candidate
	Top []Candidate `json:"top"` // the best few, best first; with Params.Logprobs
}
