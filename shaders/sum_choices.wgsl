// y[t] = Σ weight of c·x[c] over the choices c of token t, in their order, or y[t] += it.
//! include: routing
//! const USED: u32      experts of a token
//! const M_WORD: u32    the step's word with the number of tokens
//! const VECTORS: u32   vec4s of a row
//! const X_STRIDE: u32  floats from one row of x to the next
//! const Y_STRIDE: u32  floats from one row of y to the next
//! const ADD: bool      y is added to
@group(0) @binding(1) var<storage, read> routing: array<Choice>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    let t = id.y;
    if i >= VECTORS || t >= step[M_WORD] {
        return;
    }
    var sum = vec4<f32>();
    for (var j = 0u; j < USED; j++) {
        let c = t * USED + j;
        sum += routing[c].weight * x[c * (X_STRIDE / 4u) + i];
    }
    let at = t * (Y_STRIDE / 4u) + i;
    if ADD {
        y[at] += sum;
    } else {
        y[at] = sum;
    }
}
