package sample

import (
	"math"
	"slices"
)

// Bounds that keep numbers finite where somebody asks for extremes.
const (
	MostLogit = 1e34 // of logits that a repetition penalty multiplies
	MostDRY   = 1e30 // that DRY takes off
)

// Adjust returns logits after bias and penalties, in float64, where a prompt and an output come before; breakers are
// Params.DRY's in tokens. Logits that are no numbers stay.
func Adjust(logits []float32, p Params, prompt, output []int32, breakers *Breakers) []float64 {
	out := make([]float64, len(logits))
	before := slices.Concat(prompt, output)
	count, seen := map[int32]int{}, map[int32]bool{}
	for _, id := range output {
		count[id]++
	}
	for _, id := range before {
		seen[id] = true
	}
	repeated := p.DRY.lengths(before, breakers)
	for i, x := range logits {
		out[i] = float64(x)
		if math.IsNaN(out[i]) || math.IsInf(out[i], 0) {
			continue
		}
		id := int32(i)
		out[i] += p.LogitBias[id]
		if p.Repeats() && seen[id] {
			out[i] = max(-MostLogit, min(MostLogit, out[i]))
			if out[i] > 0 {
				out[i] /= p.RepetitionPenalty
			} else {
				out[i] *= p.RepetitionPenalty
			}
		}
		if n := count[id]; n > 0 {
			out[i] -= p.FrequencyPenalty*float64(n) + p.PresencePenalty
		}
		if n, ok := repeated[id]; ok {
			out[i] -= min(MostDRY, p.DRY.Multiplier*math.Pow(p.DRY.Base, float64(n-p.DRY.AllowedLength)))
		}
	}
	return out
}

// lengths gives how long a sequence each token would repeat beyond itself, for those that DRY penalises. It compares every end of
// the text with every other, letter by letter.
func (d DRY) lengths(before []int32, breakers *Breakers) map[int32]int {
	if !d.On() {
		return nil
	}
	n := len(before)
	if d.Range > 0 {
		n = min(n, d.Range)
	}
	text := before[len(before)-n:]
	limit := n
	if begin, end := breakers.Break(text); begin >= 0 {
		limit = n - end
	}
	if n <= d.AllowedLength || limit < d.AllowedLength {
		return nil
	}
	longest := map[int32]int{}
	for next := 1; next < n; next++ { // the token there follows text[:next]
		same := 0
		for same < min(next, limit) && text[next-1-same] == text[n-1-same] {
			same++
		}
		token := text[next]
		if before, ok := longest[token]; same >= d.AllowedLength && (!ok || same > before) && !breakers.Holds(token) {
			longest[token] = same
		}
	}
	return longest
}
