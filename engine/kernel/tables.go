package kernel

import (
	"context"

	"quire/engine/gpu"
)

// TableRoom is where the step buffer keeps block tables from step to step, a table a lane in each KV group. The zero value
// keeps none: each step brings its rows' tables along.
type TableRoom struct {
	At     int // word where they begin; what a step writes stays below
	Lanes  int
	Blocks int // of a table
}

// Words returns the room's words, for so many KV groups.
func (r TableRoom) Words(groups int) int { return groups * r.Lanes * r.Blocks }

// Word is where a lane's table begins.
func (r TableRoom) Word(group int, lane uint32) uint32 {
	return uint32(r.At + (group*r.Lanes+int(lane))*r.Blocks)
}

// TableRun is a part of a kept table that a step brings.
type TableRun struct {
	At  uint32 // word of the step buffer
	IDs []int32
}

// runWords are a run's words before its ids.
const runWords = 3

// appendRuns appends the step's runs to a step buffer that begins at base.
func (s *StepData) appendRuns(buf []uint32, base int) []uint32 {
	first := len(buf)
	buf[base+WordRuns], buf[base+wordAtRuns] = uint32(len(s.Runs)), uint32(first-base)
	for i := range s.Runs {
		buf = append(buf, s.Runs[i].At, uint32(len(s.Runs[i].IDs)), 0)
	}
	for i := range s.Runs {
		buf[first+i*runWords+2] = uint32(len(buf) - base)
		for _, id := range s.Runs[i].IDs {
			buf = append(buf, uint32(id))
		}
	}
	return buf
}

// Tables brings the tables that stay in the step buffer up to date, before the rest of a step reads them.
type Tables struct {
	device *gpu.Device
	kernel *gpu.Kernel
}

// NewTables starts compiling the kernel.
func NewTables(d *gpu.Device) (*Tables, error) {
	m, err := Module(d, Spec{
		File: "tables", Variant: "baseline", Consts: []Const{{"STEP_RUNS", WordRuns}}, Bindings: []gpu.Binding{gpu.ReadWrite},
	})
	if err != nil {
		return nil, err
	}
	return &Tables{device: d, kernel: d.Kernel(m)}, nil
}

// Wait blocks until the kernel is compiled.
func (k *Tables) Wait(ctx context.Context) error { return k.kernel.Wait(ctx) }

// Bind binds the step buffer.
func (k *Tables) Bind(step gpu.View) (*gpu.BindGroup, error) { return k.device.Bind(k.kernel, step) }

// Record records the step's runs; nothing where there are none.
func (k *Tables) Record(rec *gpu.Recorder, g *gpu.BindGroup, runs []TableRun) {
	longest := 0
	for i := range runs {
		longest = max(longest, len(runs[i].IDs))
	}
	y, z := Fold(len(runs))
	rec.Dispatch(k.kernel, g, uint32((longest+63)/64), y, z)
}

// SelfTest adds the kernel to a test: two runs of several workgroups each go to their places.
func (k *Tables) SelfTest(t *SelfTest) error {
	if !t.Needs(k.kernel) {
		return nil
	}
	const ids = 70
	s, words := testRuns(ids)
	var step gpu.View
	if step, t.err = t.given("step of tables", words); t.err != nil {
		return t.err
	}
	if b := t.bind(k.kernel, step); b != nil {
		k.Record(&t.rec, b, s.Runs)
		var want []float64
		for _, run := range s.Runs {
			for i := ids - SelfTestOutputs/2; i < ids; i++ {
				want = append(want, float64(run.IDs[i]))
			}
			t.Take(step.Buffer, int(run.At)+ids-SelfTestOutputs/2, SelfTestOutputs/2)
		}
		t.check(check{kernels: []*gpu.Kernel{k.kernel}, group: GroupRows, want: func() []float64 { return want },
			got: func(words []uint32, _ []float64) []float64 { return floatsOf(words) },
		})
	}
	return t.err
}

// testRuns are two runs, and the words of a step buffer with room for where they go.
func testRuns(ids int) (*StepData, []uint32) {
	s := &StepData{}
	for run := range 2 {
		s.Runs = append(s.Runs, TableRun{})
		for i := range ids {
			s.Runs[run].IDs = append(s.Runs[run].IDs, int32(1000*run+i+1))
		}
	}
	at := len(s.AppendWords(nil))
	s.Runs[0].At, s.Runs[1].At = uint32(at+ids), uint32(at)
	return s, append(s.AppendWords(nil), make([]uint32, 2*ids)...)
}
