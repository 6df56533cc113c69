package train

import (
	"fmt"
	"math"

	"quire/engine/gpu"
)

const naiveHead = `
const SCALE: f32 = %g;
const D: u32 = %du; const H: u32 = %du; const G: u32 = %du; const T: u32 = %du; const N: u32 = %du;
const KV: u32 = H / G;
@group(0) @binding(0) var<storage, read> q: array<f32>;
@group(0) @binding(1) var<storage, read> k: array<f32>;
@group(0) @binding(2) var<storage, read> v: array<f32>;
fn score(t: u32, h: u32, s: u32) -> f32 {
  var sum = 0.0;
  for (var d = 0u; d < D; d++) { sum += q[(t*H+h)*D+d] * k[(s*KV+h/G)*D+d]; }
  return sum * SCALE;
}
`

const naiveForward = naiveHead + `
@group(0) @binding(3) var<storage, read_write> o: array<f32>;
@group(0) @binding(4) var<storage, read_write> lse: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let t = id.x / H; let h = id.x %% H;
  if t >= N { return; }
  let first = t / T * T;
  var high = score(t, h, first);
  for (var s = first; s <= t; s++) { high = max(high, score(t, h, s)); }
  var sum = 0.0;
  var acc: array<f32, D>;
  for (var s = first; s <= t; s++) {
    let p = exp(score(t, h, s) - high);
    sum += p;
    for (var d = 0u; d < D; d++) { acc[d] += p * v[(s*KV+h/G)*D+d]; }
  }
  for (var d = 0u; d < D; d++) { o[(t*H+h)*D+d] = acc[d] / sum; }
  lse[id.x] = high + log(sum);
}
`

const naiveBackwardQ = naiveHead + `
@group(0) @binding(3) var<storage, read> o: array<f32>;
@group(0) @binding(4) var<storage, read> lse: array<f32>;
@group(0) @binding(5) var<storage, read> dout: array<f32>;
@group(0) @binding(6) var<storage, read_write> dq: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let t = id.x / H; let h = id.x %% H;
  if t >= N { return; }
  let first = t / T * T;
  var delta = 0.0;
  for (var d = 0u; d < D; d++) { delta += o[(t*H+h)*D+d] * dout[(t*H+h)*D+d]; }
  var acc: array<f32, D>;
  for (var s = first; s <= t; s++) {
    let p = exp(min(0.0, score(t, h, s) - lse[id.x]));
    var dp = 0.0;
    for (var d = 0u; d < D; d++) { dp += v[(s*KV+h/G)*D+d] * dout[(t*H+h)*D+d]; }
    let ds = p * (dp - delta) * SCALE;
    for (var d = 0u; d < D; d++) { acc[d] += ds * k[(s*KV+h/G)*D+d]; }
  }
  for (var d = 0u; d < D; d++) { dq[(t*H+h)*D+d] = acc[d]; }
}
`

const naiveBackwardKV = naiveHead + `
@group(0) @binding(3) var<storage, read> o: array<f32>;
@group(0) @binding(4) var<storage, read> lse: array<f32>;
@group(0) @binding(5) var<storage, read> dout: array<f32>;
@group(0) @binding(6) var<storage, read_write> dk: array<f32>;
@group(0) @binding(7) var<storage, read_write> dv: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let s = id.x / KV; let kh = id.x %% KV;
  if s >= N { return; }
  let end = s / T * T + T;
  var ak: array<f32, D>;
  var av: array<f32, D>;
  for (var t = s; t < end; t++) {
    for (var h = kh * G; h < kh * G + G; h++) {
      var delta = 0.0; var dp = 0.0;
      for (var d = 0u; d < D; d++) { delta += o[(t*H+h)*D+d] * dout[(t*H+h)*D+d]; dp += v[(s*KV+h/G)*D+d] * dout[(t*H+h)*D+d]; }
      let p = exp(min(0.0, score(t, h, s) - lse[t*H+h]));
      let ds = p * (dp - delta) * SCALE;
      for (var d = 0u; d < D; d++) { ak[d] += ds * q[(t*H+h)*D+d]; av[d] += p * dout[(t*H+h)*D+d]; }
    }
  }
  for (var d = 0u; d < D; d++) { dk[(s*KV+kh)*D+d] = ak[d]; dv[(s*KV+kh)*D+d] = av[d]; }
}
`

func (g *graph) naive(label, text string, n int, bindings []gpu.Binding, views ...gpu.View) {
	c := g.model.Config
	text = fmt.Sprintf(text, 1/math.Sqrt(float64(c.HeadDim)), c.HeadDim, c.Heads, c.Heads/c.KVHeads, c.Length, g.tokens)
	k := g.dev.Kernel(&gpu.Module{Label: label, Text: text, Bindings: bindings})
	var b *gpu.BindGroup
	g.add(func() (err error) { b, err = g.dev.Bind(k, views...); return err },
		func(rec *gpu.Recorder) { rec.Dispatch(k, b, uint32((n+63)/64), 1, 1) })
}

func (g *graph) attend(l *layer) {
	const r, w = gpu.ReadOnly, gpu.ReadWrite
	g.naive("naive", naiveForward, g.tokens*g.model.Heads, []gpu.Binding{r, r, r, w, w}, l.q.View, l.k.View, l.v.View, l.attended.View, l.lse)
}

func (g *graph) attendBackward(l *layer) {
	const r, w = gpu.ReadOnly, gpu.ReadWrite
	g.naive("naive q", naiveBackwardQ, g.tokens*g.model.Heads, []gpu.Binding{r, r, r, r, r, r, w}, l.q.View, l.k.View, l.v.View, l.attended.View, l.lse, g.dout.View, g.dq.View)
	g.naive("naive kv", naiveBackwardKV, g.tokens*g.model.KVHeads, []gpu.Binding{r, r, r, r, r, r, w, w}, l.q.View, l.k.View, l.v.View, l.attended.View, l.lse, g.dout.View, g.dk.View, g.dv.View)
}
