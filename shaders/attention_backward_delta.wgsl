// The state of each query row that the backward pass starts from: its log-sum-exp and rowsum(dO ∘ O) (FlashAttention-2,
// arXiv 2307.08691, algorithm 2, line 4), side by side. An invocation owns a row.
//! include: step fold
//! slot gradient: gradient_f32 gradient_f32x4
//! const HEADS: u32  query heads

@group(0) @binding(1) var<storage, read> out: array<GradientUnit>;   // [token][OUT_STRIDE]
@group(0) @binding(2) var<storage, read> d_out: array<GradientUnit>; // likewise
@group(0) @binding(3) var<storage, read> lse: array<f32>;            // [token][HEADS]
@group(0) @binding(4) var<storage, read_write> states: array<vec2<f32>>;


@compute @workgroup_size(64, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = (group.z * FOLD + group.x) * 64u + lane;
    if i >= step[STEP_TOKENS] * HEADS {
        return;
    }
    let at = gradient_row(i / HEADS, i % HEADS);
    var sum = 0.0;
    for (var u = 0u; u < GRADIENT_ROW; u++) { sum += gradient_dot(out[at + u], d_out[at + u]); }
    states[i] = vec2<f32>(lse[i], sum);
}
