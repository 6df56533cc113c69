// Normalises q and k of a token in their place, head by head: x / rms(x) · weight, or with CENTERED (x − mean) / deviation ·
// weight; a group of LANES invocations a head. With BIAS the bias of q, k and v comes first, so v's heads are gone through,
// too. Where all heads of q, and all of k, are normalised as one, they are given as one head. VALUES has v normalised without
// weights: 1, in its place; 2, as what k was before its weights.
//! include: step fold
//! slot reduce: reduce_workgroup reduce_subgroup
//! const HEADS: u32      query heads
//! const NORMED: u32     heads that are normalised: those of q and k
//! const ALL: u32        heads that are gone through
//! const HEAD_DIM: u32   elements of a query head
//! const KEY_DIM: u32    elements of a k or v head
//! const STACKED: bool   each head has weights of its own
//! const CENTERED: bool  the mean is taken away
//! const STRIDE: u32     floats from one token's row of qkv to the next
//! const EPS: f32        added to the mean of squares
//! const BIAS: bool      bias is added first
//! const VALUES: u32     v is normalised: 0 not, 1 in its place, 2 from k
//! const LANES: u32      invocations that share a head
//! const EACH: u32       elements of a head that each of them takes
//! const WORKGROUP: u32  invocations of a workgroup
//! const SUMS: u32       sums that are found at once
@group(0) @binding(1) var<storage, read_write> qkv: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>; // a head of q, then one of k; STACKED: all of them
@group(0) @binding(3) var<storage, read> bias: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let unit = (wid.y * FOLD + wid.x) * (WORKGROUP / LANES) + lid / LANES;
    let inside = unit < step[STEP_TOKENS] * ALL;
    let head = unit % ALL;
    let is_key = head >= HEADS;
    let dim = select(HEAD_DIM, KEY_DIM, is_key);
    let first = min(head, HEADS) * HEAD_DIM + (max(head, HEADS) - HEADS) * KEY_DIM;
    let at = unit / ALL * STRIDE + first;
    let lane = lid % LANES;
    var x: array<f32, EACH>;
    var sums: array<f32, SUMS>;
    if inside {
        for (var i = 0u; i < EACH; i++) {
            let e = i * LANES + lane;
            if e < dim {
                x[i] = qkv[at + e];
                if BIAS {
                    x[i] += bias[first + e];
                }
                sums[0] += select(x[i] * x[i], x[i], CENTERED);
            }
        }
    }
    lanes_sum(&sums, lid);
    if CENTERED {
        let mean = sums[0] / f32(dim);
        workgroupBarrier(); // the sums share memory
        sums[0] = 0.0;
        for (var i = 0u; i < EACH; i++) {
            if i * LANES + lane < dim && head < NORMED {
                x[i] -= mean;
                sums[0] += x[i] * x[i];
            }
        }
        lanes_sum(&sums, lid);
    }
    if !inside {
        return;
    }
    let scale = inverseSqrt(sums[0] / f32(dim) + EPS);
    for (var i = 0u; i < EACH; i++) {
        let e = i * LANES + lane;
        if e < dim {
            var y = x[i];
            if head < NORMED {
                var w = select(e, HEAD_DIM + e, is_key);
                if STACKED {
                    w = first + e;
                }
                if VALUES == 2u && is_key {
                    qkv[at + (NORMED - HEADS) * KEY_DIM + e] = y * scale;
                }
                y *= scale * weight[w];
            } else if VALUES == 1u {
                y *= scale;
            }
            qkv[at + e] = y;
        }
    }
}
