// Adds up what the parts of K of a product gave (parts_some.wgsl), in their order, and does what the product would have done with
// the sums. An invocation has four neighbouring numbers of a row of y.
//! include: step store_pair fold
//! const PARTS: u32      parts of K
//! const WIDTH: u32      vec4s from one row of a part to the next
//! const N: u32          rows of W
//! const M_WORD: u32     the step's word with the number of rows
//! const WORKGROUP: u32  invocations of a workgroup
@group(0) @binding(3) var<storage, read> parts: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let rows = step[M_WORD];
    let c = group.x * WORKGROUP + lane;
    let m = group.y;
    let n = 4u * c;
    if m >= rows || n >= N {
        return;
    }
    var all: array<vec4<f32>, PARTS>;
    for (var part = 0u; part < PARTS; part++) { all[part] = parts[(part * rows + m) * WIDTH + c]; }
    var sum = vec4<f32>();
    for (var part = 0u; part < PARTS; part++) { sum += all[part]; }
    let fours = adapter_fours();
    store_pair(sum.x, sum.y, 1.0, m, n, 0u, fours);
    if n + 2u < N {
        store_pair(sum.z, sum.w, 1.0, m, n + 2u, 0u, fours);
    }
}
