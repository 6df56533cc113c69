package sample

// Tales is the name of the model that comes with Quire.
const Tales = "Quire Tales"

// Suited returns the parameters that a model is best drawn with, where nobody says otherwise: what Tales was tuned for, and what
// suits most others.
func Suited(model string) Params {
	if model == Tales {
		return Params{Temperature: 0.7, TopP: 1, MinP: 0.05}
	}
	return Params{Temperature: 0.8, TopP: 0.95}
}
