// y[m] = (x[m] − mean) / deviation · weight + bias; a group of LANES invocations a row.
//! include: step fold
//! slot reduce: reduce_workgroup reduce_subgroup
//! const LANES: u32      invocations that share a row
//! const K: u32          floats of a row
//! const VECTORS: u32    vec4s of a row, with its padding
//! const EPS: f32        added to the variance
//! const GATHER: bool    row m of x is the token of output m
//! const WORKGROUP: u32  invocations of a workgroup
//! const M_WORD: u32     the step's word with the number of rows
//! const X_STRIDE: u32   floats from one row of x to the next
//! const SUMS: u32       sums that are found at once
//! const Y_STRIDE: u32   floats from one row of y to the next
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;

// centered gives 4 floats of a row less its mean, and 0 past its end.
fn centered(v: vec4<f32>, k: u32, mean: f32) -> vec4<f32> {
    let at = vec4<u32>(k * 4u) + vec4<u32>(0u, 1u, 2u, 3u);
    return select(vec4<f32>(0.0), v - mean, at < vec4<u32>(K));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let rows = step[M_WORD];
    let m = (wid.y * FOLD + wid.x) * (WORKGROUP / LANES) + lid / LANES;
    var row = min(m, max(rows, 1u) - 1u);
    if GATHER {
        row = step[output_at(row)];
    }
    let start = row * (X_STRIDE / 4u);
    var sums: array<f32, SUMS>;
    for (var k = lid % LANES; k < VECTORS; k += LANES) {
        sums[0] += dot(x[start + k], vec4<f32>(1.0));
    }
    lanes_sum(&sums, lid);
    let mean = sums[0] / f32(K);
    workgroupBarrier(); // the sums share memory
    sums[0] = 0.0;
    for (var k = lid % LANES; k < VECTORS; k += LANES) {
        let d = centered(x[start + k], k, mean);
        sums[0] += dot(d, d);
    }
    lanes_sum(&sums, lid);
    if m >= rows {
        return;
    }
    let scale = inverseSqrt(sums[0] / f32(K) + EPS);
    for (var k = lid % LANES; k < VECTORS; k += LANES) {
        y[m * (Y_STRIDE / 4u) + k] = centered(x[start + k], k, mean) * scale * weight[k] + bias[k];
    }
}
