package kernel

import (
	"math"

	"quire/engine/sample"
)

// PenaltyWords is the length of a lane's words. shaders/penalize.wgsl says what each of them is, and is the other half of all here.
const PenaltyWords = 52

// Indices of a lane's words.
const (
	penaltyFlags = iota
	penaltyBiases
	penaltyOrigin
	penaltyLoaded
	penaltyRepetition
	penaltyInverse
	penaltyFrequency
	penaltyPresence
	penaltyAllowed
	penaltyRange
	penaltyMost
	penaltyBreakers
	penaltyAtBiases
	penaltyAtBiased
	penaltyAtTokens
	penaltyAtCounts
	penaltyAtRaw
	penaltyAtFirst
	penaltyAtRuns
	penaltyAtLongest
	penaltyAtBreak
	penaltyAtAlone
	penaltyAtSequences
	_
	penaltyMultiplier
	penaltyPowers
	penaltyPowersEnd = penaltyPowers + 24
)

// Flags of a lane, and a mark in its counts.
const (
	penaltyHistory = 1 << iota
	penaltyDRY
	penaltyKeeps

	countPlace = 1 << 31
)

// Penalized is a lane with a bias or penalties: its words, and what its region of the history holds.
type Penalized struct {
	Words [PenaltyWords]uint32
	Size  int // words of its region

	params   sample.Params
	breakers *sample.Breakers
	tokens   []int32 // that count
	outputs  int     // the first of them that was drawn
	capacity int
	vocab    int
}

// NewPenalized lays out a lane. Places are from the beginning of its region on, until Place.
func NewPenalized(p sample.Params, h sample.History, vocab int) *Penalized {
	l := &Penalized{params: p, breakers: h.Breakers, vocab: vocab, tokens: h.Tokens, outputs: h.Prompt}
	w := &l.Words
	w[penaltyBiases] = uint32(len(p.LogitBias))
	keeps := p.Logprobs > 0 || h.Raw
	if keeps {
		w[penaltyFlags] |= penaltyKeeps
	}
	l.take(penaltyAtBiases, 2*len(p.LogitBias))
	if keeps {
		l.take(penaltyAtBiased, len(p.LogitBias))
	}
	if !p.Repeats() && !p.Counts() && !p.DRY.On() {
		return l
	}
	w[penaltyFlags] |= penaltyHistory
	if !p.Repeats() && !p.DRY.On() { // only what was drawn counts
		l.tokens, l.outputs = h.Tokens[h.Prompt:], 0
	}
	w[penaltyOrigin], w[penaltyLoaded] = uint32(l.outputs), uint32(len(l.tokens))
	repetition := 1.0
	if p.Repeats() {
		repetition = p.RepetitionPenalty
	}
	w[penaltyRepetition], w[penaltyInverse] = bits(repetition), bits(1/repetition)
	w[penaltyFrequency], w[penaltyPresence] = bits(p.FrequencyPenalty), bits(p.PresencePenalty)
	l.capacity = len(l.tokens) + h.Room
	l.take(penaltyAtTokens, l.capacity)
	l.take(penaltyAtCounts, l.capacity)
	if keeps {
		l.take(penaltyAtRaw, l.capacity)
	}
	if p.DRY.On() {
		l.layDRY()
	}
	return l
}

func bits(x float64) uint32 { return math.Float32bits(float32(x)) }

// take gives a part of the region so many words.
func (l *Penalized) take(at, words int) {
	l.Words[at] = uint32(l.Size)
	l.Size += words
}

func (l *Penalized) layDRY() {
	w, d := &l.Words, l.params.DRY
	w[penaltyFlags] |= penaltyDRY
	w[penaltyAllowed], w[penaltyRange] = uint32(d.AllowedLength), math.MaxUint32
	if d.Range > 0 {
		w[penaltyRange] = uint32(d.Range)
	}
	w[penaltyMost] = 1<<(penaltyPowersEnd-penaltyPowers) - 1
	if d.Base > 1 {
		most := math.Ceil(math.Log(sample.MostDRY/d.Multiplier) / math.Log(d.Base))
		w[penaltyMost] = uint32(max(0, min(float64(w[penaltyMost]), most)))
	}
	w[penaltyMultiplier] = bits(d.Multiplier)
	for i := range penaltyPowersEnd - penaltyPowers {
		w[penaltyPowers+i] = bits(min(1e38, math.Pow(d.Base, float64(int(1)<<i))))
	}
	for _, at := range []int{penaltyAtFirst, penaltyAtRuns, penaltyAtLongest} {
		l.take(at, l.capacity)
	}
	l.take(penaltyAtBreak, 2)
	l.take(penaltyAtAlone, (l.vocab+31)/32)
	sequences := l.sequences()
	w[penaltyBreakers] = uint32(len(sequences))
	words := 2 * len(sequences)
	for _, s := range sequences {
		words += len(s)
	}
	l.take(penaltyAtSequences, words)
}

func (l *Penalized) sequences() [][]int32 {
	if l.breakers == nil {
		return nil
	}
	return l.breakers.Sequences
}

// Place gives the region its place in the history, and write what has to be written there.
func (l *Penalized) Place(at int, write func(at int, words []uint32) error) error {
	w := &l.Words
	for i := penaltyAtBiases; i <= penaltyAtSequences; i++ {
		w[i] += uint32(at)
	}
	biases := make([]uint32, 0, 2*len(l.params.LogitBias))
	for id, bias := range l.params.LogitBias {
		biases = append(biases, uint32(id), bits(bias))
	}
	parts := []struct {
		at    int
		words []uint32
	}{{penaltyAtBiases, biases}}
	add := func(at int, words []uint32) {
		parts = append(parts, struct {
			at    int
			words []uint32
		}{at, words})
	}
	if w[penaltyFlags]&penaltyHistory != 0 {
		tokens, counts, first := l.places()
		add(penaltyAtTokens, tokens)
		add(penaltyAtCounts, counts)
		if w[penaltyFlags]&penaltyDRY != 0 {
			begin, end := l.breakers.Break(l.tokens)
			add(penaltyAtFirst, first)
			add(penaltyAtRuns, runs(l.tokens))
			add(penaltyAtLongest, make([]uint32, len(l.tokens)))
			add(penaltyAtBreak, []uint32{uint32(begin + 1), uint32(end)})
			add(penaltyAtAlone, l.alone())
			add(penaltyAtSequences, l.spelled(int(w[penaltyAtSequences])))
		}
	}
	for _, p := range parts {
		if len(p.words) == 0 {
			continue
		}
		if err := write(int(w[p.at]), p.words); err != nil {
			return err
		}
	}
	return nil
}

// places gives the tokens, and for each where it comes first, which has the count.
func (l *Penalized) places() (tokens, counts, first []uint32) {
	n := len(l.tokens)
	tokens, counts, first = make([]uint32, n), make([]uint32, n), make([]uint32, n)
	known := make(map[int32]uint32, n)
	for i, token := range l.tokens {
		place, ok := known[token]
		if !ok {
			place = uint32(i)
			known[token], counts[i] = place, countPlace
		}
		if i >= l.outputs {
			counts[place]++
		}
		tokens[i], first[i] = uint32(token), place
	}
	return tokens, counts, first
}

// runs gives for each distance how many tokens up to the last equal those so far before them: the Z-function of the text read
// backwards (Gusfield, "Algorithms on Strings, Trees and Sequences", 1.4).
func runs(tokens []int32) []uint32 {
	n := len(tokens)
	out := make([]uint32, n)
	left, right := 0, 0 // where the text, backwards, equals its beginning
	for k := 1; k < n; k++ {
		same := 0
		if k < right {
			same = min(right-k, int(out[k-left]))
		}
		for k+same < n && tokens[n-1-same] == tokens[n-1-k-same] {
			same++
		}
		if k+same > right {
			left, right = k, k+same
		}
		out[k] = uint32(same)
	}
	return out
}

// alone gives the tokens that are breakers, a bit each.
func (l *Penalized) alone() []uint32 {
	words := make([]uint32, (l.vocab+31)/32)
	if l.breakers != nil {
		for id := range l.breakers.Alone {
			words[id/32] |= 1 << (id % 32)
		}
	}
	return words
}

// spelled lists the breakers of several tokens, in a list that lies at that place.
func (l *Penalized) spelled(at int) []uint32 {
	sequences := l.sequences()
	words := make([]uint32, 2*len(sequences))
	for i, s := range sequences {
		words[2*i], words[2*i+1] = uint32(len(s)), uint32(at+len(words))
		for _, token := range s {
			words = append(words, uint32(token))
		}
	}
	return words
}
