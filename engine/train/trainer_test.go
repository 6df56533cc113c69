package train

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu/gputest"
	"quire/engine/reference"
)

// lesson is what the tests learn; its bytes from the space up are the tokens.
var lesson = func() []int32 {
	text := strings.Repeat("A kite flew over the hill, and a fox ran after it. \"Wait,\" said the fox; the kite did not wait. "+
		"It rose with the wind, it fell with the wind, and in the evening it lay down in the grass beside the fox. ", 4)
	var tokens []int32
	for _, b := range []byte(text) {
		tokens = append(tokens, int32(b-' '))
	}
	return tokens
}()

func tiny() Config {
	return Config{Layers: 2, Width: 32, Heads: 4, KVHeads: 2, HeadDim: 8, FFN: 64, Vocabulary: 95, Length: 32, Eps: 1e-5, RopeBase: 10000}
}

func newModel(t *testing.T, c Config) *Model {
	m, err := NewModel(gputest.Device(t), c, 11)
	require.NoError(t, err)
	t.Cleanup(m.Release)
	return m
}

func newTrainer(t *testing.T, m *Model, o Options) *Trainer {
	trainer, err := NewTrainer(context.Background(), m, o)
	require.NoError(t, err)
	t.Cleanup(trainer.Release)
	return trainer
}

// weights reads all weights of a model, in both widths.
func weights(t *testing.T, m *Model) (reference.Weights[float64], reference.Weights[float32]) {
	w64, w32 := reference.Weights[float64]{}, reference.Weights[float32]{}
	for _, tensor := range m.Tensors() {
		values, err := m.Tensor(context.Background(), tensor.Name)
		require.NoError(t, err)
		w64[tensor.Name], w32[tensor.Name] = wide(values), values
	}
	return w64, w32
}

// TestGradients compares the loss and the gradient by every tensor of the whole model, of random weights large enough that
// all of them count.
func TestGradients(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"untied": func(*Config) {},
		"tied, one KV head, several tiles": func(c *Config) {
			c.Tied, c.KVHeads, c.HeadDim, c.Layers, c.Length = true, 1, 12, 1, 71
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := tiny()
			change(&c)
			m := newModel(t, c)
			random := rand.New(rand.NewPCG(9, 9))
			for _, tensor := range m.Tensors() {
				values := make([]float32, tensor.Rows*tensor.Columns)
				for i := range values {
					values[i] = float32(random.NormFloat64() * 0.3)
				}
				require.NoError(t, m.SetTensor(tensor.Name, values))
			}
			w64, w32 := weights(t, m)
			batch := (&Windows{Text: lesson, Length: c.Length, Random: random}).Batch(3)
			trainer := newTrainer(t, m, Options{Batch: 3, Optimizer: DefaultOptimizer(1e-3, 100)})
			got, err := trainer.Step(context.Background(), batch)
			require.NoError(t, err)

			want, gradient := reference.Gradient(referenceConfig(c), w64, batch.Tokens, batch.Targets, c.Length)
			plain, plainGradient := reference.Gradient(referenceConfig(c), w32, batch.Tokens, batch.Targets, c.Length)
			accurate(t, "loss", []float64{want}, []float32{plain}, []float32{float32(got.Loss)}, forwardTimes)
			for _, tensor := range m.Tensors() {
				values, err := m.read(context.Background(), trainer.graph.gradients.Buffer, tensor.Name)
				require.NoError(t, err)
				accurate(t, tensor.Name, gradient[tensor.Name], plainGradient[tensor.Name], values, gradientTimes)
			}
			optimizer := reference.AdamW[float64]{}
			assert.InEpsilon(t, optimizer.Update(w64, gradient), got.GradientNorm, 1e-4)
		})
	}
}

// TestLossCurve trains the GPU's model and the reference's on the same batches: their losses stay together.
func TestLossCurve(t *testing.T) {
	c, o := tiny(), DefaultOptimizer(1e-2, curveSteps)
	m := newModel(t, c)
	w, _ := weights(t, m)
	const batch = 4
	trainer := newTrainer(t, m, Options{Batch: batch, Optimizer: o})
	windows := Windows{Text: lesson, Length: c.Length, Random: rand.New(rand.NewPCG(1, 2))}
	adamw := reference.AdamW[float64]{Beta1: o.Beta1, Beta2: o.Beta2, Eps: o.Eps, Decay: o.Decay, Clip: o.Clip, Rate: o.Rate, Floor: o.Floor,
		Warmup: o.Warmup, Steps: o.Steps}
	var first, last, apart float64
	for step := 1; step <= curveSteps; step++ {
		b := windows.Batch(batch)
		got, err := trainer.Step(context.Background(), b)
		require.NoError(t, err)
		want, gradient := reference.Gradient(referenceConfig(c), w, b.Tokens, b.Targets, c.Length)
		norm := adamw.Update(w, gradient)
		require.InEpsilon(t, want, got.Loss, 0.01, "loss of step %d", step)
		require.InEpsilon(t, norm, got.GradientNorm, 0.05, "gradient norm of step %d", step)
		require.Equal(t, step, got.Step)
		apart = max(apart, math.Abs(got.Loss-want)/want)
		if step == 1 {
			first = want
		}
		last = want
	}
	t.Logf("the loss fell from %.3f to %.3f in %d steps; at most %.1g apart", first, last, curveSteps, apart)
	assert.Less(t, last, first-curveFall)
}

// TestScore gives the loss that the next step has, and leaves it as it is.
func TestScore(t *testing.T) {
	m := newModel(t, tiny())
	trainer := newTrainer(t, m, Options{Batch: 1, Optimizer: DefaultOptimizer(1e-2, 50)})
	windows := Windows{Text: lesson, Length: m.Length, Random: rand.New(rand.NewPCG(1, 2))}
	for range 2 {
		b := windows.Batch(1)
		score, err := trainer.Score(context.Background(), b)
		require.NoError(t, err)
		got, err := trainer.Step(context.Background(), b)
		require.NoError(t, err)
		assert.Equal(t, got.Loss, score)
	}
	_, err := trainer.Score(context.Background(), Batch{})
	assert.ErrorContains(t, err, "a batch of 0 tokens")
}

// TestSameBits trains twice, once a step at a time and once ahead: losses and weights are equal to the bit.
func TestSameBits(t *testing.T) {
	run := func(ahead bool) ([]Result, reference.Weights[float32]) {
		m := newModel(t, tiny())
		trainer := newTrainer(t, m, Options{Batch: 2, Optimizer: DefaultOptimizer(1e-2, 50)})
		windows := Windows{Text: lesson, Length: m.Length, Random: rand.New(rand.NewPCG(1, 2))}
		var results []Result
		land := func() {
			r, err := trainer.Land(context.Background())
			require.NoError(t, err)
			results = append(results, r)
		}
		for range 5 {
			require.NoError(t, trainer.Submit(windows.Batch(2)))
			if !ahead || !trainer.CanSubmit() {
				land()
			}
		}
		for len(results) < 5 {
			land()
		}
		_, w := weights(t, m)
		return results, w
	}
	results, w := run(false)
	again, wAgain := run(true)
	assert.Equal(t, results, again)
	assert.Equal(t, w, wAgain)
}

func TestInitialWeights(t *testing.T) {
	c := tiny()
	_, w := weights(t, newModel(t, c))
	_, same := weights(t, newModel(t, c))
	assert.Equal(t, w, same)
	other, err := NewModel(gputest.Device(t), c, 12)
	require.NoError(t, err)
	defer other.Release()
	_, different := weights(t, other)
	assert.NotEqual(t, w[embeddingName], different[embeddingName])
	assert.Equal(t, different["blk.1.ffn_norm.weight"], w["blk.0.attn_norm.weight"])
	deviation := func(name string) float64 {
		sum := 0.0
		for _, f := range wide(w[name]) {
			sum += f * f
		}
		return sum / float64(len(w[name]))
	}
	assert.InEpsilon(t, 0.02*0.02, deviation(embeddingName), 0.2)
	assert.InEpsilon(t, 0.25/32, deviation("blk.0.ffn_gate.weight"), 0.2)
	assert.InEpsilon(t, 0.25/32/4, deviation("blk.0.attn_output.weight"), 0.2)
	assert.Equal(t, 2*95*32+2*(32*32*2+16*32*2+3*64*32+2*32)+32, c.Parameters())
}

func TestLearningRate(t *testing.T) {
	o := Optimizer{Rate: 1, Floor: 0.2, Warmup: 4, Steps: 12}
	want := reference.AdamW[float64]{Rate: 1, Floor: 0.2, Warmup: 4, Steps: 12}
	for step := 1; step < 15; step++ {
		assert.InDelta(t, want.LearningRate(step), o.LearningRate(step), 1e-15, "step %d", step)
	}
	assert.Equal(t, 1.0, Optimizer{Rate: 1}.LearningRate(7))
}

func TestWindows(t *testing.T) {
	text := make([]int32, 100)
	for i := range text {
		text[i] = int32(i)
	}
	b := (&Windows{Text: text, Length: 10, Random: rand.New(rand.NewPCG(1, 2))}).Batch(200)
	seen := map[int32]bool{}
	for i, id := range b.Tokens {
		require.Equal(t, id+1, b.Targets[i])
		if i%10 > 0 {
			require.Equal(t, b.Tokens[i-1]+1, id)
		} else {
			seen[id] = true
		}
	}
	assert.True(t, seen[0] && seen[89], "windows begin everywhere")
}

func TestRefuses(t *testing.T) {
	dev := gputest.Device(t)
	for says, change := range map[string]func(*Config){
		"width is 33":               func(c *Config) { c.Width = 33 },
		"3 heads do not share":      func(c *Config) { c.Heads, c.KVHeads, c.HeadDim = 3, 2, 32 },
		"head dim is 7":             func(c *Config) { c.HeadDim = 7 },
		"no multiple of 4":          func(c *Config) { c.Heads, c.KVHeads, c.HeadDim = 1, 1, 6 },
		"layers is 0":               func(c *Config) { c.Layers = 0 },
		"at most 65535 tokens":      func(c *Config) { c.Vocabulary = 65536 },
		"RoPE's base 0":             func(c *Config) { c.RopeBase = 0 },
		"out of memory: parameters": func(c *Config) { c.Vocabulary, c.Width = 65535, 1<<20 },
	} {
		c := tiny()
		change(&c)
		_, err := NewModel(dev, c, 1)
		assert.ErrorContains(t, err, says)
	}
	m := newModel(t, tiny())
	assert.ErrorContains(t, m.SetTensor("output.weight", nil), "95 by 32 values, not 0")
	assert.ErrorContains(t, m.SetTensor("bias", nil), `no tensor "bias"`)
	for says, o := range map[string]Options{
		"0 sequences":     {Optimizer: DefaultOptimizer(1, 1)},
		"2048 sequences":  {Batch: 2048, Optimizer: DefaultOptimizer(1, 1)},
		"learning rate 0": {Batch: 1, Optimizer: DefaultOptimizer(0, 1)},
		"warm-up of 5":    {Batch: 1, Optimizer: Optimizer{Eps: 1, Rate: 1, Warmup: 5, Steps: 5}},
		"betas 1 and 0":   {Batch: 1, Optimizer: Optimizer{Beta1: 1, Eps: 1, Rate: 1}},
	} {
		_, err := NewTrainer(context.Background(), m, o)
		assert.ErrorContains(t, err, says)
	}
	trainer := newTrainer(t, m, Options{Batch: 1, Optimizer: DefaultOptimizer(1e-3, 10)})
	assert.ErrorContains(t, trainer.Submit(Batch{}), "a batch of 0 tokens")
	b := Batch{Tokens: make([]int32, 32), Targets: make([]int32, 32)}
	b.Targets[5] = 95
	assert.ErrorContains(t, trainer.Submit(b), "token 95 at 5")
	_, err := trainer.Land(context.Background())
	assert.ErrorIs(t, err, ErrInFlight)
	b.Targets[5] = 0
	require.NoError(t, trainer.Submit(b))
	require.NoError(t, trainer.Submit(b))
	assert.ErrorIs(t, trainer.Submit(b), ErrInFlight)
	for range 2 {
		_, err = trainer.Land(context.Background())
		require.NoError(t, err)
	}
}
