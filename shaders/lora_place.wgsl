// b[first + r][row] = source[row][r], with ranks in fours: the second matrix of a LoRA adapter among those of all.
//! include: fold
@group(0) @binding(0) var<storage, read> place: array<u32>; // rows, the adapter's ranks, and the first of them
@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read_write> b: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let i = (wid.y * FOLD + wid.x) * 64u + lid;
    let ranks = place[1];
    if i < place[0] * ranks {
        let r = place[2] + i % ranks;
        b[(r / 4u * place[0] + i / ranks) * 4u + r % 4u] = source[i];
    }
}
