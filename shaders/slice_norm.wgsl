// y = (y + x / rms(x) · weight) · SCALE, slice by slice of a row, all with the same weights; a group of LANES invocations a slice.
//! include: step fold
//! slot reduce: reduce_workgroup reduce_subgroup
//! const SLICES: u32     slices of a row
//! const WIDTH: u32      elements of a slice
//! const STRIDE: u32     floats from one row to the next
//! const EPS: f32        added to the mean of squares
//! const SCALE: f32      of the sum
//! const LANES: u32      invocations that share a slice
//! const EACH: u32       elements of a slice that each of them takes
//! const WORKGROUP: u32  invocations of a workgroup
//! const SUMS: u32       sums that are found at once
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let unit = (wid.y * FOLD + wid.x) * (WORKGROUP / LANES) + lid / LANES;
    let inside = unit < step[STEP_TOKENS] * SLICES;
    let at = unit / SLICES * STRIDE + unit % SLICES * WIDTH;
    let lane = lid % LANES;
    var v: array<f32, EACH>;
    var sums: array<f32, SUMS>;
    if inside {
        for (var i = 0u; i < EACH; i++) {
            let e = i * LANES + lane;
            if e < WIDTH {
                v[i] = x[at + e];
                sums[0] += v[i] * v[i];
            }
        }
    }
    lanes_sum(&sums, lid);
    if !inside {
        return;
    }
    let scale = inverseSqrt(sums[0] / f32(WIDTH) + EPS);
    for (var i = 0u; i < EACH; i++) {
        let e = i * LANES + lane;
        if e < WIDTH {
            y[at + e] = (y[at + e] + v[i] * scale * weight[e]) * SCALE;
        }
    }
}
