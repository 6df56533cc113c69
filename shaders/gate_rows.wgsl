// x[t] *= sigmoid(g[t]): a gate of one float for all of a token's row.
//! include: step fold
//! const VECTORS: u32   vec4s of a row
//! const G_STRIDE: u32  floats from one gate to the next
//! const X_STRIDE: u32  floats from one row of x to the next
//! const M_WORD: u32    the step's word with the number of rows
@group(0) @binding(1) var<storage, read> g: array<f32>;
@group(0) @binding(2) var<storage, read_write> x: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let item = (wid.y * FOLD + wid.x) * 64u + lid;
    let t = item / VECTORS;
    if t >= step[M_WORD] {
        return;
    }
    let gate = g[t * G_STRIDE];
    let e = exp(-abs(gate)); // never of a positive argument, so that nothing overflows
    x[t * (X_STRIDE / 4u) + item % VECTORS] *= select(e, 1.0, gate >= 0.0) / (1.0 + e);
}
