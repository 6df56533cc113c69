// y[t] = x[ids[t]]: the embeddings of tokens.
//! include: fold
//! const ROWS: u32     tokens
//! const VECTORS: u32  vec4s of a row
@group(0) @binding(0) var<storage, read> ids: array<u32>;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let i = (wid.y * FOLD + wid.x) * 64u + lid;
    if i >= ROWS * VECTORS {
        return;
    }
    y[i] = x[ids[i / VECTORS] * VECTORS + i % VECTORS];
}
