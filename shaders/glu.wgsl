// h[t][i] = activate(g[t][i])·u[t][i], for gates and ups that come from two matrices.
//! include: step
//! slot activation: activation_silu activation_gelu activation_gelu_erf
//! const VECTORS: u32   vec4s of a row
//! const G_STRIDE: u32  floats from one row of g to the next
//! const U_STRIDE: u32  floats from one row of u to the next
//! const U_OFFSET: u32  floats before what is taken of a row of u
//! const H_STRIDE: u32  floats from one row of h to the next
//! const M_WORD: u32    the step's word with the number of rows
@group(0) @binding(1) var<storage, read> g: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> u: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> h: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    let t = id.y;
    if i >= VECTORS || t >= step[M_WORD] {
        return;
    }
    let v = g[t * (G_STRIDE / 4u) + i];
    h[t * (H_STRIDE / 4u) + i] = vec4<f32>(activate(v.x), activate(v.y), activate(v.z), activate(v.w)) * u[t * (U_STRIDE / 4u) + U_OFFSET / 4u + i];
}
