package kernel

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/sample"
)

// BenchmarkSample draws from logits like a language model's: a bulk of unlikely tokens, and some that share most of the
// probability. It reports the GPU's time for each kernel where the adapter has a clock.
func BenchmarkSample(b *testing.B) {
	const vocab = 128256
	for _, c := range []struct {
		name   string
		params sample.Params
	}{
		{"greedy", sample.Params{}},
		{"top-k40-top-p0.95-min-p0.05", sample.Params{Temperature: 0.8, TopK: 40, TopP: 0.95, MinP: 0.05}},
		{"top-p0.95", sample.Params{Temperature: 0.8, TopP: 0.95}},
		{"min-p0.05", sample.Params{Temperature: 0.7, TopP: 1, MinP: 0.05}},
		{"temperature1", sample.Params{Temperature: 1, TopP: 1}},
		{"greedy-logprobs5", sample.Params{Logprobs: 5}},
	} {
		for _, rows := range []int{1, 8, 64} {
			b.Run(fmt.Sprintf("%s/rows%d", c.name, rows), func(b *testing.B) { benchSample(b, vocab, rows, c.params) })
		}
	}
}

func benchSample(b *testing.B, vocab, rows int, p sample.Params) {
	s := newSampler(b, vocab, rows)
	sets := make([][]float32, rows)
	for i := range sets {
		sets[i] = s.likely(vocab)
	}
	s.load(sets...)
	var d StepData
	var params, step []byte
	for i := range rows {
		p.Seed = uint64(i)
		for _, w := range p.Words() {
			params = binary.LittleEndian.AppendUint32(params, w)
		}
		d.Outputs = append(d.Outputs, Output{Lane: uint32(i), Flags: OutputSample})
	}
	for _, w := range d.AppendWords(nil) {
		step = binary.LittleEndian.AppendUint32(step, w)
	}
	at := binary.LittleEndian.Uint32(step[4*wordAtOutputs:])
	require.NoError(b, s.params.Upload(0, params))
	require.NoError(b, s.steps.Upload(0, step))
	timed := s.dev.Features().Has(gpu.FeatureTimestamps)
	require.NoError(b, s.kernel.Wait(context.Background()))
	var order []string
	spent := map[string]float64{}
	for counter := 0; b.Loop(); counter++ {
		// Every turn draws at other places.
		rec := gpu.Recorder{Profile: timed}
		for i := range rows {
			rec.WriteWords(s.steps, 4*uint64(at+4*uint32(i)+2), []uint32{uint32(counter)})
		}
		s.kernel.Record(&rec, s.bind, Draws{Outputs: rows, Random: !p.Greedy(), Logprobs: p.Logprobs > 0})
		require.NoError(b, s.dev.Submit(&rec))
		require.NoError(b, s.dev.Idle(context.Background()))
		if !timed {
			continue
		}
		timings, err := s.dev.Timings(context.Background(), &rec)
		require.NoError(b, err)
		for _, t := range timings {
			if spent[t.Kernel] == 0 {
				order = append(order, t.Kernel)
			}
			spent[t.Kernel] += t.Nanoseconds
		}
	}
	total := 0.0
	for _, kernel := range order {
		total += spent[kernel]
		b.ReportMetric(spent[kernel]/1e3/float64(b.N), "µs/"+kernel)
	}
	b.ReportMetric(total/1e3/float64(b.N), "GPU-µs/step")
}
