// y[p] = Σ x[t] over the tokens of pooled row p: what a sequence's embedding is made of.
//! include: step
//! most POOLED: u32    tokens of a pooled row
//! const VECTORS: u32   vec4s of a row, with its padding
//! const X_STRIDE: u32  floats from one row of x to the next
//! const Y_STRIDE: u32  floats from one row of y to the next
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let column = wid.x * 64u + lid;
    if column >= VECTORS || wid.y >= step[STEP_POOLS] {
        return;
    }
    let at = step[STEP_AT_POOLS] + wid.y * POOL_WORDS;
    let first = step[at];
    var sum = vec4<f32>(0.0);
    //! turns: POOLED
    for (var t = 0u; t < step[at + 1u]; t++) {
        sum += x[(first + t) * (X_STRIDE / 4u) + column];
    }
    y[wid.y * (Y_STRIDE / 4u) + column] = sum;
}
