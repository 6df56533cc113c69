package replay

import (
	"quire/engine/schedule"
	"quire/engine/step"
	"quire/paging/sim"
)

// Saving is what sharing blocks has saved under one decoding strategy.
type Saving struct {
	Strategy  string  `json:"strategy"`  // parallel, beam or prefix
	Width     int     `json:"width"`     // samples, beams, or tokens of the shared prefix
	Saved     float64 `json:"saved"`     // part of the blocks that the same sequences would hold without sharing, over all steps
	Sequences float64 `json:"sequences"` // that hold blocks, a step
	Copies    int     `json:"copies"`    // blocks copied on write
	Steps     int     `json:"steps"`
	Requests  int     `json:"requests"`
}

// strategies are those of the paper's section 6: parallel sampling and beam search (6.3, figure 15), and prompts with one
// and with five examples in front (6.4).
var strategies = []struct {
	name   string
	widths []int
}{
	{"parallel", []int{2, 4, 6}},
	{"beam", []int{2, 4, 6}},
	{"prefix", []int{80, 341}},
}

// Sharing replays requests, cut to the maximum length, once for each strategy and width. All sequences of a request get
// as long as its output. Beams follow random probabilities, the same every time.
func Sharing(requests []sim.Request, o Options) ([]Saving, error) {
	requests, err := sim.Cut(requests, o.MaxLen)
	if err != nil {
		return nil, err
	}
	var savings []Saving
	for _, strategy := range strategies {
		for _, width := range strategy.widths {
			s, err := o.sharing(requests, strategy.name, width)
			if err != nil {
				return nil, err
			}
			savings = append(savings, s)
		}
	}
	return savings, nil
}

func (o *Options) sharing(requests []sim.Request, strategy string, width int) (Saving, error) {
	s, err := o.scheduler(true)
	if err != nil {
		return Saving{}, err
	}
	f := feed{Scheduler: s, requests: requests, setting: o.Setting, prompts: prompts{hashed: true}}
	var land func([]schedule.Landed) error
	switch strategy {
	case "parallel":
		f.request = func(r *schedule.Request) {
			for i := 1; i < width; i++ {
				r.Samples = append(r.Samples, r.ID+uint64(i))
			}
		}
	case "beam":
		land = newBeams(s, width).land
		f.request = func(r *schedule.Request) { r.Lanes, r.LandEach, r.Lockstep = width, true, true }
	case "prefix":
		f.prompts.prefix = width
	}
	alone, held, sequences, steps := 0, 0, 0, 0
	err = f.run(func(st *step.Step) {
		for _, row := range st.Rows { // every sequence that holds blocks has one
			alone += int(row.Blocks)
		}
		stats := s.Stats()
		held += stats.Cache.Active
		sequences += stats.Running
		steps++
	}, land)
	if err != nil {
		return Saving{}, err
	}
	if err := s.Check(); err != nil {
		return Saving{}, err
	}
	saving := Saving{
		Strategy: strategy, Width: width, Steps: steps, Requests: len(requests), Copies: int(s.Stats().Cache.Copies),
	}
	if alone > 0 {
		saving.Saved = float64(alone-held) / float64(alone)
		saving.Sequences = float64(sequences) / float64(steps)
	}
	return saving, nil
}
