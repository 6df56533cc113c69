package runner

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/kernel"
	"quire/engine/schedule"
	"quire/engine/step"
)

// host does what the host does for a step: schedule it, lay it out for the shaders, write it on the tape, and land an earlier
// one. Nothing runs on a GPU.
type host struct {
	testing.TB
	scheduler *schedule.Scheduler
	runner    *Runner
	step      step.Step
	rec       gpu.Recorder
	buffer    *gpu.Buffer
	drawn     []int32
	samples   []int // of each step in flight
}

// newHost brings sequences of so many tokens, less some, to their decode.
func newHost(t testing.TB, sequences, tokens int) *host {
	const further = 8192
	s, err := schedule.New(schedule.Config{
		Blocks: sequences*(tokens+further)/16 + 1, PrefixCache: true, Depth: 4, TokenBudget: 1 << 16, LongPrompt: -1, MaxSeqs: sequences,
	})
	require.NoError(t, err)
	h := &host{TB: t, scheduler: s, buffer: &gpu.Buffer{}, drawn: make([]int32, sequences)}
	h.runner = &Runner{translator: translator{
		lists:   []itemList{{items: fakeItems{longest: 1 << 20}, kvHeads: 8, units: 64, room: 1024 + sequences*16}},
		sharing: sharing{groups: []int{0}, blockSize: 16},
		kept:    kernel.TableRoom{At: 1 << 20, Lanes: sequences, Blocks: (tokens + further) / 16},
	}}
	for i := range sequences {
		prompt := make([]int32, tokens-i%16)
		for j := range prompt {
			prompt[j] = int32(i + j)
		}
		require.NoError(t, s.Add(schedule.Request{ID: uint64(i + 1), Prompt: prompt}))
	}
	for len(h.step.Outputs) < sequences {
		h.advance()
	}
	for range 64 {
		h.advance()
	}
	return h
}

func (h *host) advance() {
	for {
		d := h.scheduler.Schedule(&h.step)
		if d.Kind == schedule.Run {
			break
		}
		_, err := h.scheduler.Land(d.Step, h.drawn[:h.samples[0]])
		require.NoError(h, err)
		h.samples = append(h.samples[:0], h.samples[1:]...)
	}
	for i := range h.step.Rows {
		h.scheduler.Blocks(h.step.Rows[i].Sequence)
	}
	r := h.runner
	r.words = r.translator.translate(&h.step).AppendWords(r.words[:0])
	h.rec.Reset()
	h.rec.WriteWords(h.buffer, 0, r.words)
	h.samples = append(h.samples, len(h.step.Outputs))
}

// A decode step of long sequences allocates nothing and writes little: of their block tables only what is new.
func TestDecodeStepIsSmall(t *testing.T) {
	h := newHost(t, 16, 2048)
	most, told := 0, 0
	assert.Zero(t, testing.AllocsPerRun(64, func() {
		h.advance()
		most, told = max(most, len(h.runner.words)), told+len(h.step.Groups[0].Tables)
	}))
	assert.Less(t, most, 1000)
	assert.Equal(t, 65, told, "each sequence begins a block every 16 steps")
}

func BenchmarkDecodeStep(b *testing.B) {
	h := newHost(b, 64, 8192)
	b.ReportAllocs()
	for steps := 0; b.Loop(); steps++ {
		if steps == 8000 { // then blocks run out, and sequences are sent back
			b.StopTimer()
			h, steps = newHost(b, 64, 8192), 0
			b.StartTimer()
		}
		h.advance()
	}
	b.ReportMetric(float64(4*len(h.runner.words)), "bytes/step")
}
