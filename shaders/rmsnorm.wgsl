// y[m] = x[m] / rms(x[m]) · weight, or y[m] += it, and y[m] times a factor; a group of LANES invocations a row.
//! include: step fold
//! slot reduce: reduce_workgroup reduce_subgroup
//! slot factor: factor_none factor_one
//! const LANES: u32      invocations that share a row
//! const K: u32          floats of a row
//! const VECTORS: u32    vec4s of a row, with its padding
//! const EPS: f32        added to the mean of squares
//! const ADD: bool       y is added to
//! const GATHER: bool    row m of x is the token of output m
//! const WORKGROUP: u32  invocations of a workgroup
//! const M_WORD: u32     the step's word with the number of rows
//! const X_STRIDE: u32   floats from one row of x to the next
//! const SUMS: u32       sums that are found at once
//! const Y_STRIDE: u32   floats from one row of y to the next
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;

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
        let v = x[start + k];
        sums[0] += dot(v, v);
    }
    lanes_sum(&sums, lid);
    if m >= rows {
        return;
    }
    let scale = inverseSqrt(sums[0] / f32(K) + EPS);
    for (var k = lid % LANES; k < VECTORS; k += LANES) {
        let at = m * (Y_STRIDE / 4u) + k;
        let value = x[start + k] * scale * weight[k];
        if ADD {
            y[at] = scaled(y[at] + value);
        } else {
            y[at] = scaled(value);
        }
    }
}
