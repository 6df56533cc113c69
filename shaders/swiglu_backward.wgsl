// The backward pass of h = silu(gate)·up from dh: gate and up become the gradients by them.
//! include: fold
//! const VECTORS: u32  vec4s of all rows
@group(0) @binding(0) var<storage, read> dh: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> gate: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> up: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let i = (wid.y * FOLD + wid.x) * 64u + lid;
    if i >= VECTORS {
        return;
    }
    let g = gate[i];
    let e = exp(-abs(g));
    let sigmoid = select(e, vec4<f32>(1.0), g >= vec4<f32>()) / (1.0 + e);
    let rest = select(vec4<f32>(1.0), e, g >= vec4<f32>()) / (1.0 + e); // 1 − sigmoid, without the loss of digits
    let d = dh[i];
    gate[i] = d * up[i] * sigmoid * (1.0 + g * rest);
    up[i] = d * g * sigmoid;
}
