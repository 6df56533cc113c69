// For each token the USED experts of the best scores, of equal ones the lowest, and what each counts for. A workgroup owns a
// token. Ranks are counted from keys, integers in the order of the scores, so that each has an expert whatever they are.
//! include: routing number fold
//! const USED: u32       experts of a token
//! const EXPERTS: u32    scores of a token
//! const M_WORD: u32     the step's word with the number of tokens
//! const WORKGROUP: u32  invocations of a workgroup
//! const STRIDE: u32     floats from one token's scores to the next
//! const SIGMOID: bool   weights are sigmoids of the scores, not their softmax
//! const WHOLE: bool     weights are shares of all experts, not of those that are chosen
//! const BIAS: bool      bias is added for the choice alone
//! const SCALED: bool    an expert's weight is multiplied by its scale
//! const LEAST: f32      what a sum of sigmoids has added to it before it divides
//! const SCALE: f32      what all weights are multiplied by
@group(0) @binding(1) var<storage, read> scores: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read> scales: array<f32>;
@group(0) @binding(4) var<storage, read_write> routing: array<Choice>;

var<workgroup> keys: array<u32, EXPERTS>;
var<workgroup> picked: array<u32, USED>;
var<workgroup> sums: array<f32, WORKGROUP>;

// key_of orders scores: a greater one has a greater key, equal ones (−0 and 0 too) the same, NaN the greatest.
fn key_of(x: f32) -> u32 {
    let bits = select(bitcast<u32>(x), 0u, bitcast<u32>(x) == 0x80000000u);
    let key = select(bits | 0x80000000u, ~bits, bits >= 0x80000000u);
    return select(key, 0xFFFFFFFFu, (bits & 0x7FFFFFFFu) > 0x7F800000u);
}

// sigmoid never sees exp of a positive argument, so nothing overflows.
fn sigmoid(x: f32) -> f32 {
    let e = exp(-abs(x));
    return select(e, 1.0, x >= 0.0) / (1.0 + e);
}

// value is what a score counts for before it is divided; best is the greatest of the token's.
fn value(x: f32, best: f32) -> f32 {
    if SIGMOID {
        return sigmoid(x);
    }
    return exp(x - best);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let token = wid.y * FOLD + wid.x;
    if token >= step[M_WORD] {
        return;
    }
    let start = token * STRIDE;
    for (var e = lid; e < EXPERTS; e += WORKGROUP) {
        var x = scores[start + e];
        if SIGMOID {
            x = sigmoid(x);
        }
        if BIAS {
            x += bias[e];
        }
        keys[e] = key_of(x);
    }
    workgroupBarrier();
    for (var e = lid; e < EXPERTS; e += WORKGROUP) {
        let key = keys[e];
        var rank = 0u;
        for (var i = 0u; i < EXPERTS; i++) {
            let other = keys[i];
            rank += select(0u, 1u, other > key || (other == key && i < e));
        }
        if rank < USED {
            picked[rank] = e;
        }
    }
    workgroupBarrier();
    let best = scores[start + picked[0]];
    var total = 0.0;
    if !WHOLE {
        for (var i = 0u; i < USED; i++) { total += value(scores[start + picked[i]], best); }
    } else if !SIGMOID {
        var part = 0.0;
        for (var e = lid; e < EXPERTS; e += WORKGROUP) { part += value(scores[start + e], best); }
        sums[lid] = part;
        workgroupBarrier();
        for (var i = 0u; i < WORKGROUP; i++) { total += sums[i]; }
    }
    for (var i = lid; i < USED; i += WORKGROUP) {
        let e = picked[i];
        var weight = value(scores[start + e], best);
        if SIGMOID && !WHOLE {
            weight /= total + LEAST;
        } else if !SIGMOID {
            weight /= total;
        }
        weight *= SCALE;
        if SCALED {
            weight *= scales[e];
        }
        routing[token * USED + i] = Choice(e, weight);
    }
}
