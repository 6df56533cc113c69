// b[row][first + r] = source[row][r]: the second matrix of a LoRA adapter among those of all.
//! include: fold
//! const STRIDE: u32  floats of a row of b
@group(0) @binding(0) var<storage, read> place: array<u32>; // rows, the adapter's ranks, and the first of them
@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read_write> b: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let i = (wid.y * FOLD + wid.x) * 64u + lid;
    let ranks = place[1];
    if i < place[0] * ranks {
        b[i / ranks * STRIDE + place[2] + i % ranks] = source[i];
    }
}
