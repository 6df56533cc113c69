// Norms of what a recurrence answers, in its place, group by group, and its gate: x / rms(x) · weight · silu(z), or with FIRST
// the norm of x · silu(z); LANES invocations a group.
//! include: step fold decay
//! slot reduce: reduce_workgroup reduce_subgroup
//! const GROUPS: u32     groups of a token
//! const WIDTH: u32      elements of a group
//! const WEIGHTS: u32    weights; groups go through them in turn
//! const FIRST: bool     the gate comes before the norm
//! const EPS: f32        added to the mean of squares
//! const X_STRIDE: u32   floats from one row of x to the next
//! const Z_STRIDE: u32   floats from one row of z to the next
//! const Z_AT: u32       the gates' place in a row of z
//! const LANES: u32      invocations that share a group
//! const WORKGROUP: u32  invocations of a workgroup
//! const SUMS: u32       sums that are found at once
@group(0) @binding(1) var<storage, read_write> x: array<f32>;
@group(0) @binding(2) var<storage, read> z: array<f32>;
@group(0) @binding(3) var<storage, read> weight: array<f32>;

fn gate(z_at: u32) -> f32 { return z[z_at] * sigmoid(z[z_at]); }

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let unit = (wid.y * FOLD + wid.x) * (WORKGROUP / LANES) + lid / LANES;
    let inside = unit < step[STEP_TOKENS] * GROUPS;
    let token = unit / GROUPS;
    let first = unit % GROUPS * WIDTH;
    let lane = lid % LANES;
    let x_at = token * X_STRIDE + first;
    let z_at = token * Z_STRIDE + Z_AT + first;
    var sums: array<f32, SUMS>;
    if inside {
        for (var e = lane; e < WIDTH; e += LANES) {
            var value = x[x_at + e];
            if FIRST {
                value *= gate(z_at + e);
            }
            sums[0] += value * value;
        }
    }
    lanes_sum(&sums, lid);
    if !inside {
        return;
    }
    let scale = inverseSqrt(sums[0] / f32(WIDTH) + EPS);
    for (var e = lane; e < WIDTH; e += LANES) {
        x[x_at + e] *= gate(z_at + e) * scale * weight[(first + e) % WEIGHTS];
    }
}
