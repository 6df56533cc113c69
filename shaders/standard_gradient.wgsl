// The gradient by the scores of standard attention, in place of that by the weights: dS = P ∘ (dP − rowsum(P ∘ dP)), times
// the slope of scale and cap (FlashAttention, arXiv 2205.14135, algorithm 3, line 5): a workgroup a row.
//! include: standard_score fold
//! const SCALE: f32     of q·k
//! const SOFTCAP: f32   bound of scores; 0: none
//! most MOST_KEYS: u32  keys
@group(0) @binding(0) var<storage, read> head: array<u32>; // queries, keys, query head, KV head, head dim
@group(0) @binding(1) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> scores: array<vec4<f32>>; // only where there is a cap
@group(0) @binding(3) var<storage, read_write> gradient: array<vec4<f32>>;

var<workgroup> sums: array<f32, 256>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let row = wid.y * FOLD + wid.x;
    if row >= head[0] {
        return;
    }
    let quads = (head[1] + 31u) / 32u * 8u;
    let range = keys_seen(row, head[0], head[1]);
    var sum = 0.0;
    //! turns: MOST_KEYS / 1024u + 1u
    for (var i = lid; i < quads; i += 256u) {
        let seen = seen_of(i, range);
        if any(seen) {
            sum += dot(weights[row * quads + i], select(vec4<f32>(0.0), gradient[row * quads + i], seen));
        }
    }
    sums[lid] = sum;
    for (var span = 128u; span > 0u; span /= 2u) {
        workgroupBarrier();
        if lid < span {
            sums[lid] += sums[lid + span];
        }
    }
    workgroupBarrier();
    let whole = sums[0];
    //! turns: MOST_KEYS / 1024u + 1u
    for (var i = lid; i < quads; i += 256u) {
        let seen = seen_of(i, range);
        var d = vec4<f32>(0.0);
        if any(seen) {
            d = weights[row * quads + i] * (gradient[row * quads + i] - whole) * SCALE;
            if SOFTCAP > 0.0 {
                let t = bent(scores[row * quads + i] * SCALE);
                d *= 1.0 - t * t;
            }
            d = select(vec4<f32>(0.0), d, seen);
        }
        gradient[row * quads + i] = d;
    }
}
