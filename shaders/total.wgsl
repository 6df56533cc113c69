// y[group] is the sum of x, or of its squares where SQUARE, over every groups-th run of 256 vectors.
//! slot reduce: reduce_workgroup reduce_subgroup
//! const SQUARE: bool      squares are summed
//! const WORKGROUP: u32    invocations of a workgroup
//! const SUMS: u32         sums that are found at once
//! most VECTORS_EACH: u32  vec4s that an invocation sums
struct Shape {
    vectors: u32,
    groups: u32,
}
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    var sum = vec4<f32>();
    //! turns: VECTORS_EACH
    for (var i = wid.x * WORKGROUP + lid; i < shape.vectors; i += shape.groups * WORKGROUP) {
        let v = x[i];
        if SQUARE {
            sum = fma(v, v, sum);
        } else {
            sum += v;
        }
    }
    var sums: array<f32, SUMS>;
    sums[0] = (sum.x + sum.y) + (sum.z + sum.w);
    lanes_sum(&sums, lid);
    if lid == 0u {
        y[wid.x] = sums[0];
    }
}
