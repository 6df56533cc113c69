// P = softmax(S) of standard attention (FlashAttention, arXiv 2205.14135, algorithm 0): a workgroup a row. Rows are padded
// to a multiple of 32 keys; weights of keys that are not seen, the padding's too, are 0.
//! include: standard_score fold none
//! const SCALE: f32     of q·k
//! most MOST_KEYS: u32  keys
@group(0) @binding(0) var<storage, read> head: array<u32>; // queries, keys, query head, KV head, head dim
@group(0) @binding(1) var<storage, read> scores: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> weights: array<vec4<f32>>;


var<workgroup> states: array<vec2<f32>, 256>; // maximum, sum of exp(score − maximum)

fn hidden_as(x: vec4<f32>, seen: vec4<bool>) -> vec4<f32> { return select(vec4<f32>(NONE), x, seen); }

fn powers(x: vec4<f32>, maximum: f32, seen: vec4<bool>) -> vec4<f32> {
    return select(vec4<f32>(0.0), exp(min(x - maximum, vec4<f32>(0.0))), seen);
}

fn total(x: vec4<f32>) -> f32 { return (x.x + x.y) + (x.z + x.w); }

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let row = wid.y * FOLD + wid.x;
    if row >= head[0] {
        return;
    }
    let quads = (head[1] + 31u) / 32u * 8u;
    let range = keys_seen(row, head[0], head[1]);

    var maximum = NONE;
    var sum = 0.0;
    //! turns: MOST_KEYS / 1024u + 1u
    for (var i = lid; i < quads; i += 256u) {
        let seen = seen_of(i, range);
        if any(seen) {
            let x = capped(scores[row * quads + i] * SCALE);
            let masked = hidden_as(x, seen);
            let now = max(maximum, max(max(masked.x, masked.y), max(masked.z, masked.w)));
            sum = sum * exp(min(maximum - now, 0.0)) + total(powers(x, now, seen));
            maximum = now;
        }
    }
    states[lid] = vec2<f32>(maximum, sum);
    for (var span = 128u; span > 0u; span /= 2u) {
        workgroupBarrier();
        if lid < span {
            let a = states[lid];
            let b = states[lid + span];
            let now = max(a.x, b.x);
            states[lid] = vec2<f32>(now, a.y * exp(min(a.x - now, 0.0)) + b.y * exp(min(b.x - now, 0.0)));
        }
    }
    workgroupBarrier();
    let whole = states[0];
    let scale = select(0.0, 1.0 / max(whole.y, 1.0e-30), whole.y > 0.0);
    //! turns: MOST_KEYS / 1024u + 1u
    for (var i = lid; i < quads; i += 256u) {
        let seen = seen_of(i, range);
        var p = vec4<f32>(0.0);
        if any(seen) {
            p = powers(capped(scores[row * quads + i] * SCALE), whole.x, seen) * scale;
        }
        weights[row * quads + i] = p;
    }
}
