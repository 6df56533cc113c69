// Sinks of attention: a logit a head that joins the softmax and has no value. What attention gives is multiplied by the share
// of its sum that is not the sink's, 1 / (1 + exp(sink − LSE)).
//! include: step fold
//! const HEADS: u32     query heads
//! const HEAD_DIM: u32  floats of a head
//! const STRIDE: u32    floats from one token's row to the next
@group(0) @binding(1) var<storage, read> lse: array<f32>; // [token][HEADS]
@group(0) @binding(2) var<storage, read> sinks: array<f32>;
@group(0) @binding(3) var<storage, read_write> x: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let item = (wid.y * FOLD + wid.x) * 64u + lid;
    let t = item / (HEADS * HEAD_DIM);
    if t >= step[STEP_TOKENS] {
        return;
    }
    let i = item % (HEADS * HEAD_DIM);
    let above = lse[t * HEADS + i / HEAD_DIM] - sinks[i / HEAD_DIM];
    let e = exp(-abs(above)); // never of a positive argument, so that nothing overflows
    x[t * STRIDE + i] *= select(e, 1.0, above >= 0.0) / (1.0 + e);
}
