// What the tokens of a chunk have to do with one another, for recurrence_chunks: a workgroup takes CHUNK tokens of a row and a
// head. For each token i it writes a row of T and one of P, then its factors. Decays between two tokens are sums of what lies
// between them, not differences of sums from the chunk's start, which would lose digits behind a strong decay.
//! include: step fold decay chunk
//! slot quads: quads_f32 quads_f32x4
//! const DELTA: bool       the gated delta rule; otherwise Mamba-2's
//! const HEADS: u32        heads of values, each with a state
//! const KEY_HEADS: u32    heads of keys and queries, which as many heads share
//! const TILED: bool       head h has the keys of h % KEY_HEADS; otherwise neighbours share them
//! const KEY: u32          elements of a key
//! const SCALE: f32        of q
//! const X_STRIDE: u32     floats from one token's q, k and v to the next
//! const Q_AT: u32         the queries' place in them
//! const K_AT: u32         the keys'
//! const GATE_STRIDE: u32  floats from one token's gates to the next
//! const GATE_RUN: u32     heads whose gates lie together
//! const GATE_STEP: u32    floats from one run to the next
//! const STEP_AT: u32      Δ's place in a run
//! const BETA_AT: u32      β's
//! const CHUNKED: u32      tokens from which a row is walked by chunks
@group(0) @binding(2) var<storage, read> gates: array<f32>;
@group(0) @binding(3) var<storage, read> heads: array<f32>; // a of all heads, then what Δ is shifted by
@group(0) @binding(4) var<storage, read_write> pairs: array<f32>;

const QUADS: u32 = (KEY + 3u) / 4u;
const PIECE: u32 = 8u; // fours of keys that are staged at once
const TILE: u32 = CHUNK * PIECE;
const PAIRS: u32 = CHUNK * CHUNK;
const SHORTEST: f32 = 1e-6; // added to a squared length

var<workgroup> k_tile: array<vec4<f32>, TILE>;
var<workgroup> q_tile: array<vec4<f32>, TILE>;
var<workgroup> logs: array<f32, CHUNK>;   // of decays
var<workgroup> betas: array<f32, CHUNK>;  // β, or Δ
var<workgroup> k_scale: array<f32, CHUNK>;
var<workgroup> q_scale: array<f32, CHUNK>;
var<workgroup> lower: array<f32, PAIRS>; // what a token's u takes from those before it

// between is the logarithm of what is left at token i of what was there behind token j.
fn between(j: u32, i: u32) -> f32 {
    var sum = 0.0;
    //! turns: CHUNK
    for (var m = j; m < i; m++) {
        sum += logs[m];
    }
    return sum;
}

@compute @workgroup_size(CHUNK * CHUNK)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let unit = wid.y * FOLD + wid.x;
    let head = unit % HEADS;
    let rows = max(step[STEP_ROWS], 1u);
    let row = unit / HEADS % rows;
    let chunk = unit / (HEADS * rows); // the first of all rows, then the second
    let count = row_count(row);
    if count < CHUNKED || chunk * CHUNK >= count {
        return;
    }
    let first = row_first(row) + chunk * CHUNK;
    let tokens = min(CHUNK, count - chunk * CHUNK);
    let key_head = select(head / (HEADS / KEY_HEADS), head % KEY_HEADS, TILED);
    let i = lid / CHUNK;
    let j = lid % CHUNK;

    var kk = 0.0;
    var qk = 0.0;
    var qq = 0.0;
    for (var piece = 0u; piece < QUADS; piece += PIECE) {
        let staged = lid / PIECE % CHUNK;
        let q4 = piece + lid % PIECE;
        var v: vec4<f32>;
        if staged < tokens && q4 < QUADS {
            v = quad((first + staged) * X_STRIDE + select(Q_AT, K_AT, lid < CHUNK * PIECE) + key_head * KEY, q4);
        }
        workgroupBarrier();
        if lid < CHUNK * PIECE {
            k_tile[lid] = v;
        } else {
            q_tile[lid - CHUNK * PIECE] = v;
        }
        workgroupBarrier();
        for (var e = 0u; e < PIECE; e++) {
            let k = k_tile[j * PIECE + e];
            let q = q_tile[i * PIECE + e];
            kk += dot(k_tile[i * PIECE + e], k);
            qk += dot(q, k);
            qq += dot(q, q);
        }
    }
    if i == j {
        var dt = 0.0;
        var beta = 0.0;
        if i < tokens {
            let gate = (first + i) * GATE_STRIDE + head / GATE_RUN * GATE_STEP + head % GATE_RUN;
            dt = softplus(gates[gate + STEP_AT] + heads[HEADS + head]);
            beta = dt;
            if DELTA {
                beta = sigmoid(gates[gate + BETA_AT]);
            }
        }
        logs[i] = heads[head] * dt;
        betas[i] = beta;
        k_scale[i] = 1.0;
        q_scale[i] = SCALE;
        if DELTA {
            k_scale[i] = inverseSqrt(kk + SHORTEST);
            q_scale[i] = SCALE * inverseSqrt(qq + SHORTEST);
        }
    }
    workgroupBarrier();
    var decay = 0.0;
    if i >= j {
        decay = exp_close(between(j + 1u, i + 1u));
    }
    let at = ((first + min(i, tokens - 1u)) * HEADS + head) * PAIR_WORDS;
    if i < tokens {
        pairs[at + CHUNK + j] = decay * q_scale[i] * k_scale[j] * qk;
    }
    if DELTA {
        lower[lid] = select(0.0, betas[i] * decay * k_scale[i] * k_scale[j] * kk, i > j);
        workgroupBarrier();
        // T is the inverse of 1 + lower: column by column, from the top.
        if i == 0u {
            var t: array<f32, CHUNK>;
            for (var m = 0u; m < CHUNK; m++) {
                var sum = select(0.0, 1.0, m == j);
                //! turns: CHUNK
                for (var n = 0u; n < m; n++) {
                    sum -= lower[m * CHUNK + n] * t[n];
                }
                t[m] = sum;
                if m < tokens {
                    pairs[((first + m) * HEADS + head) * PAIR_WORDS + j] = sum;
                }
            }
        }
    }
    if i < tokens && j == 0u {
        let so_far = exp_close(between(0u, i + 1u));
        pairs[at + FACTORS] = betas[i];
        pairs[at + FACTORS + 1u] = betas[i] * so_far * k_scale[i];
        pairs[at + FACTORS + 2u] = so_far * q_scale[i];
        pairs[at + FACTORS + 3u] = exp_close(between(i + 1u, tokens)) * k_scale[i];
        pairs[at + FACTORS + 4u] = exp_close(between(0u, tokens));
    }
}
