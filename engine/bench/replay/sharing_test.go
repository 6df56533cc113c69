package replay

import (
	"bytes"
	"encoding/xml"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/schedule"
	"quire/engine/step"
	"quire/paging/sim"
)

func TestSharingByHand(t *testing.T) {
	tests := []struct {
		name          string
		strategy      string
		width         int
		requests      []sim.Request
		saved         float64
		copies, steps int
	}{
		// Two blocks of prompt. Then the second sample computes the prompt's last token in a copy of the second block while
		// the first takes a third block, which the second does a step later.
		{"two samples", "parallel", 2, []sim.Request{{Prompt: 4, Output: 2}}, 1 - (2+4+3)/(2+5+3.), 1, 3},
		// One block of prompt, and then one block for each beam's token.
		{"two beams", "beam", 2, []sim.Request{{Prompt: 2, Output: 2}}, 1 - (1+3)/(1+4.), 0, 2},
		// A request that ends with its first token never has a second beam.
		{"beams with one token", "beam", 3, []sim.Request{{Prompt: 2, Output: 1}}, 0, 0, 1},
		// Two blocks of system prompt, and one block for each request.
		{"shared prefix", "prefix", 4, []sim.Request{{Prompt: 1, Output: 1}, {Prompt: 1, Output: 1}}, 1 - 4/6., 0, 1},
		{"shared prefix, in parts of blocks", "prefix", 3, []sim.Request{{Prompt: 1, Output: 1}, {Prompt: 1, Output: 1}}, 1 - 3/4., 0, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := options(40, 2, 8)
			got, err := o.sharing(tt.requests, tt.strategy, tt.width)
			require.NoError(t, err)
			assert.InDelta(t, tt.saved, got.Saved, 1e-12)
			assert.Equal(t, tt.copies, got.Copies)
			assert.Equal(t, tt.steps, got.Steps)
		})
	}
}

// Where memory is ample a request has as many beams as it asked for from its second step on, all equally long, and every
// step chooses among all of them.
func TestBeamsStayInStep(t *testing.T) {
	const width, output = 3, 20
	requests := []sim.Request{{Prompt: 5, Output: output}, {Prompt: 9, Output: output}}
	o := options(200, 4, 64)
	s, err := o.scheduler(true)
	require.NoError(t, err)
	b := newBeams(s, width)
	f := feed{Scheduler: s, requests: requests, prompts: prompts{hashed: true}}
	f.request = func(r *schedule.Request) { r.Lanes, r.LandEach, r.Lockstep = width, true, true }
	steps, forked := 0, false
	err = f.run(func(st *step.Step) {
		steps++
		if steps == 1 {
			return
		}
		require.Len(t, st.Rows, width*len(requests))
		for _, row := range st.Rows {
			require.EqualValues(t, requests[row.Sequence>>32].Prompt+steps-2, row.Start)
		}
	}, func(landed []schedule.Landed) error {
		if err := b.land(landed); err != nil {
			return err
		}
		for request, g := range b.searches {
			require.Zero(t, g.landed)
			require.Len(t, g.beams, width)
			ids := map[uint64]bool{}
			for i, beam := range g.beams {
				require.False(t, ids[beam.id], "beam %d is there twice", beam.id)
				ids[beam.id] = true
				require.Equal(t, request, beam.id>>32)
				require.Negative(t, beam.score)
				require.True(t, i == 0 || beam.score <= g.beams[i-1].score)
			}
			forked = forked || g.last&0xffffffff > width
		}
		return nil
	})
	require.NoError(t, err)
	assert.Equal(t, output, steps)
	assert.Empty(t, b.searches)
	assert.True(t, forked, "beams were replaced")
}

func TestSharingSavesMoreTheWider(t *testing.T) {
	requests, err := sim.Synthetic("instruct")
	require.NoError(t, err)
	savings, err := Sharing(requests[:60], options(512, 16, 256))
	require.NoError(t, err)
	require.Len(t, savings, 8)
	for i, s := range savings {
		assert.Equal(t, 60, s.Requests)
		assert.Positive(t, s.Saved)
		if i > 0 && s.Strategy == savings[i-1].Strategy {
			assert.Greater(t, s.Saved, savings[i-1].Saved)
		}
	}
}

// Memory so short that groups of beams are preempted again and again.
func TestSharingUnderPressure(t *testing.T) {
	var requests []sim.Request
	for i := range 40 {
		requests = append(requests, sim.Request{Prompt: 1 + i%13, Output: 1 + i*7%31})
	}
	savings, err := Sharing(requests, options(130, 4, 44))
	require.NoError(t, err)
	for _, s := range savings {
		assert.Less(t, s.Saved, 1.0)
	}
}

func TestChartIsWellFormed(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, WriteChart(&b, "a <trace> & more", []sim.Result{
		{Name: "paged", InFlight: 58.44, Memory: sim.Memory{Tokens: 0.75, Free: 0.25}},
		{Name: "maximum", Memory: sim.Memory{Tokens: 0.5, Internal: 0.48, External: 0.02}},
	}))
	text := b.String()
	for _, want := range []string{"a &lt;trace&gt; &amp; more", ">paged<", ">58.4 in flight<", ">75.0<", ">48.0<"} {
		assert.Contains(t, text, want)
	}
	assert.NotContains(t, text, ">2.0<", "a part too small for a label")
	assert.Contains(t, text, `y="126.0" width="64" height="210.0"`, "three quarters of 280, standing on the axis")
	elements := 0
	for d := xml.NewDecoder(strings.NewReader(text)); ; elements++ {
		_, err := d.Token()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
	}
	assert.Greater(t, elements, 40)

	b.Reset()
	require.NoError(t, WriteSharingChart(&b, "t", []Saving{{Strategy: "beam", Width: 4, Saved: 0.625}}))
	assert.Contains(t, b.String(), ">62.5<")
	assert.Contains(t, b.String(), ">37.5<")
}
