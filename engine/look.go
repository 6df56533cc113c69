package engine

import (
	"context"
	"fmt"
	"slices"

	"quire/engine/model"
	"quire/engine/sample"
	"quire/engine/step"
)

// Look is what attention of one layer makes of a prompt's last token, with what it reads: for lessons, and for a look inside.
type Look struct {
	Layer     int       `json:"layer"`
	Layers    []int     `json:"layers"` // those of the model that have attention
	Position  int       `json:"position"`
	From      int       `json:"from"` // the first position that the token sees
	Heads     int       `json:"heads"`
	KVHeads   int       `json:"kvHeads"`
	HeadDim   int       `json:"headDim"`
	Scale     float32   `json:"scale"`   // of q·k
	Softcap   float32   `json:"softcap"` // scores are bounded to ±softcap by tanh; 0: not
	BlockSize int       `json:"blockSize"`
	Tables    [][]int32 `json:"tables"` // each answer's blocks at its last step; 0 is what a window has left behind
	PromptIDs []int32   `json:"promptIds"`
	Answers   [][]int32 `json:"answers"` // their token ids

	model.Seen `json:"-"`
}

// lookKeys is the most tokens of a prompt that is looked at.
const lookKeys = 4096

// sighting is a look that waits for its step. The step loop owns it.
type sighting struct {
	prompt int
	group  int
	look   *model.Look
	tables map[int][]int32 // by the answer
	err    error
}

// Look computes a prompt, and so many answers of two tokens, and looks at the prompt's last token in a layer; -1: in the middle one of
// those that have attention. Other requests run on meanwhile.
func (e *Engine) Look(ctx context.Context, prompt []int32, layer, answers int) (*Look, error) {
	l := &Look{Position: len(prompt) - 1, BlockSize: e.info.BlockSize, PromptIDs: prompt}
	for i := range e.plan.Config.Layers {
		if _, ok := e.plan.Sight(i); ok {
			l.Layers = append(l.Layers, i)
		}
	}
	switch {
	case e.info.NoText || e.plan.Whole || len(l.Layers) == 0:
		return nil, fmt.Errorf("%w: this model keeps no K and V to look at", ErrBadRequest)
	case len(prompt) > lookKeys:
		return nil, fmt.Errorf("%w: the prompt has %d tokens, and at most %d are looked at", ErrContextTooLong, len(prompt), lookKeys)
	case layer == -1:
		layer = l.Layers[len(l.Layers)/2]
	}
	sight, ok := e.plan.Sight(layer)
	if !ok {
		return nil, fmt.Errorf("%w: layer %d has no attention; layers %v have", ErrBadRequest, layer, l.Layers)
	}
	l.Layer, l.Heads, l.KVHeads, l.HeadDim, l.Scale, l.Softcap = layer, sight.Heads, sight.KVHeads, sight.HeadDim, sight.Scale, sight.Softcap
	if sight.Window > 0 {
		l.From = max(0, len(prompt)-sight.Window)
	}
	s := &sighting{prompt: len(prompt), group: sight.Group, look: &model.Look{Layer: layer, Keys: len(prompt)}, tables: map[int][]int32{}}
	// In the loop nothing is scheduled before the request is known as one that is looked at.
	var stream *Stream
	var err error
	if callErr := e.loop.Call(func() {
		r := Request{Prompt: prompt, MaxTokens: 2, IgnoreEnd: true, N: answers, Sample: sample.Params{Temperature: 1, TopP: 1}}
		if stream, err = e.Submit(ctx, r); err == nil {
			e.sightings[stream.ID()] = s
		}
	}); callErr != nil {
		return nil, callErr
	}
	if err != nil {
		return nil, err
	}
	result := stream.Result()
	err = e.loop.CallReady(func() (err error) {
		delete(e.sightings, stream.ID())
		if s.found() && s.err == nil {
			l.Seen, err = s.look.Seen(ctx, e.plan)
		}
		return err
	})
	switch {
	case isLost(err):
		return e.Look(ctx, prompt, layer, answers)
	case err != nil:
		return nil, err
	case result.Err != nil:
		return nil, result.Err
	case s.err != nil:
		return nil, s.err
	case !s.found():
		return nil, context.Canceled
	}
	for i, c := range result.Choices {
		l.Tables, l.Answers = append(l.Tables, s.tables[i]), append(l.Answers, c.IDs)
	}
	return l, nil
}

func (s *sighting) found() bool { return s.look.Table != nil }

// sighted finds what is looked at in a step that is about to be submitted.
func (e *Engine) sighted(st *step.Step) {
	for id, s := range e.sightings {
		g := e.loop.Generations()[id]
		if g == nil {
			continue
		}
		for _, q := range g.Live {
			i := slices.IndexFunc(st.Rows, func(r step.Row) bool { return r.Sequence == q.ID })
			if i < 0 {
				continue
			}
			row := &st.Rows[i]
			table := e.scheduler.Table(q.ID, s.group)
			s.tables[q.Index()] = slices.Clone(table)
			token := row.First + int32(s.prompt) - 1 - row.Start
			if s.found() || q.ID != g.ID || token < row.First || token >= row.First+row.Count {
				continue
			}
			s.look.Token, s.look.Table = int(token), slices.Clone(table[:(s.prompt+e.info.BlockSize-1)/e.info.BlockSize])
			s.err = e.machine.Look(s.look)
		}
	}
}
