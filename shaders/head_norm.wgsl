// Normalises q and k of a token in their place, head by head: x / rms(x) · weight; a group of LANES invocations a head. With
// BIAS the bias of q, k and v comes first, so v's heads are gone through, too.
//! include: step fold
//! slot reduce: reduce_workgroup reduce_subgroup
//! const HEADS: u32      query heads
//! const NORMED: u32     heads that are normalised: those of q and k
//! const ALL: u32        heads that are gone through
//! const HEAD_DIM: u32   elements of a head
//! const STRIDE: u32     floats from one token's row of qkv to the next
//! const EPS: f32        added to the mean of squares
//! const BIAS: bool      bias is added first
//! const LANES: u32      invocations that share a head
//! const EACH: u32       elements of a head that each of them takes
//! const WORKGROUP: u32  invocations of a workgroup
//! const SUMS: u32       sums that are found at once
@group(0) @binding(1) var<storage, read_write> qkv: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>; // a head of q, then one of k
@group(0) @binding(3) var<storage, read> bias: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let unit = (wid.y * FOLD + wid.x) * (WORKGROUP / LANES) + lid / LANES;
    let inside = unit < step[STEP_TOKENS] * ALL;
    let head = unit % ALL;
    let at = unit / ALL * STRIDE + head * HEAD_DIM;
    let lane = lid % LANES;
    var x: array<f32, EACH>;
    var sums: array<f32, SUMS>;
    if inside {
        for (var i = 0u; i < EACH; i++) {
            let e = i * LANES + lane;
            if e < HEAD_DIM {
                x[i] = qkv[at + e];
                if BIAS {
                    x[i] += bias[head * HEAD_DIM + e];
                }
                sums[0] += x[i] * x[i];
            }
        }
    }
    lanes_sum(&sums, lid);
    if !inside {
        return;
    }
    let scale = inverseSqrt(sums[0] / f32(HEAD_DIM) + EPS);
    for (var i = 0u; i < EACH; i++) {
        let e = i * LANES + lane;
        if e < HEAD_DIM {
            var y = x[i];
            if head < NORMED {
                y *= scale * weight[select(e, HEAD_DIM + e, head >= HEADS)];
            }
            qkv[at + e] = y;
        }
    }
}
