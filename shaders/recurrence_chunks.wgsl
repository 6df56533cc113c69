// Walks a row's tokens a chunk at a time (arXiv 2412.06464, section 3.3; without DELTA arXiv 2405.21060, section 6): what
// recurrence does token by token, as products of small matrices. A workgroup owns OWNED rows of a head's state S. With K, Q and V
// of a chunk, and T, P and factors from recurrence_pairs:
//   U = T·(β V − Γβ K·S), Y = Γ Q·S + P·U, S = γ S + Uᵀ·(K decayed to the chunk's end).
//! include: step fold chunk
//! slot quads: quads_f32 quads_f32x4
//! slot span: span_whole span_parts
//! const DELTA: bool      the gated delta rule; otherwise Mamba-2's
//! const HEADS: u32       heads of values, each with a state
//! const KEY_HEADS: u32   heads of keys and queries, which as many heads share
//! const TILED: bool      head h has the keys of h % KEY_HEADS; otherwise neighbours share them
//! const KEY: u32         elements of a key
//! const VALUE: u32       elements of a value
//! const X_STRIDE: u32    floats from one token's q, k and v to the next
//! const Q_AT: u32        the queries' place in them
//! const K_AT: u32        the keys'
//! const V_AT: u32        the values'
//! const Y_STRIDE: u32    floats from one token's answers to the next
//! const STATE_AT: u32    the states' place in a slot
//! const SLOT_WORDS: u32  words of a slot
//! const TOKENS: u32      tokens of a row that a launch walks
//! const CHUNKED: u32     tokens from which a row is walked by chunks
@group(0) @binding(2) var<storage, read> pairs: array<f32>;
@group(0) @binding(3) var<storage, read> heads: array<f32>; // D from 2·HEADS on, without DELTA
@group(0) @binding(4) var<storage, read_write> state: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

const OWNED: u32 = 8u;
const WORKGROUP: u32 = CHUNK * OWNED;
const PARTS: u32 = (VALUE + OWNED - 1u) / OWNED;
const QUADS: u32 = (KEY + 3u) / 4u;
const PITCH: u32 = QUADS + 1u; // rows begin in other banks
const OWN_ROWS: u32 = OWNED * PITCH;
const CHUNK_ROWS: u32 = CHUNK * PITCH;
const LOADS: u32 = (QUADS + OWNED - 1u) / OWNED;
const STEPS: u32 = (QUADS + CHUNK - 1u) / CHUNK;

var<workgroup> s: array<vec4<f32>, OWN_ROWS>;
var<workgroup> tile: array<vec4<f32>, CHUNK_ROWS>; // K, then Q, then K
var<workgroup> u: array<f32, WORKGROUP>;              // [CHUNK][OWNED]

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let unit = wid.y * FOLD + wid.x;
    let head = unit / PARTS % HEADS;
    let row = unit / (PARTS * HEADS);
    if row >= step[STEP_ROWS] {
        return;
    }
    let count = row_count(row);
    let begin = span_number() * TOKENS;
    if count < CHUNKED || begin >= count {
        return;
    }
    let end = min(count, begin + TOKENS);
    let key_head = select(head / (HEADS / KEY_HEADS), head % KEY_HEADS, TILED);
    let first = row_first(row);
    let i = lid / OWNED; // a token of the chunk
    let j = lid % OWNED; // a row of the state
    let place = unit % PARTS * OWNED + j;
    let column = min(place, VALUE - 1u);

    // The part of S that an invocation loads, updates and stores is j's, every CHUNK-th four of it from i on.
    let to = row_state_to(row);
    var known = row_state_from(row);
    if begin > 0u {
        known = to;
    }
    let at = STATE_AT / 4u + (head * VALUE + column) * QUADS;
    for (var n = 0u; n < STEPS; n++) {
        let e = n * CHUNK + i;
        if e < QUADS {
            s[j * PITCH + e] = state[known * (SLOT_WORDS / 4u) + at + e];
        }
    }
    //! turns: (TOKENS + CHUNK - 1u) / CHUNK
    for (var t = begin; t < end; t += CHUNK) {
        let tokens = min(CHUNK, end - t);
        let token = first + t + min(i, tokens - 1u);
        let pair = (token * HEADS + head) * PAIR_WORDS;
        let last = ((first + t + tokens - 1u) * HEADS + head) * PAIR_WORDS + FACTORS;
        let k_at = token * X_STRIDE + K_AT + key_head * KEY;
        let q_at = token * X_STRIDE + Q_AT + key_head * KEY;
        let v = element(token * X_STRIDE + V_AT + head * VALUE + column);
        var k: array<vec4<f32>, LOADS>;
        for (var n = 0u; n < LOADS; n++) {
            let e = n * OWNED + j;
            if e < QUADS {
                if i < tokens {
                    k[n] = quad(k_at, e);
                }
                tile[i * PITCH + e] = k[n];
            }
        }
        workgroupBarrier();
        var mine = pairs[pair + FACTORS] * v;
        if DELTA {
            var sum = 0.0;
            for (var e = 0u; e < QUADS; e++) {
                sum += dot(tile[i * PITCH + e], s[j * PITCH + e]);
            }
            mine -= pairs[pair + FACTORS + 1u] * sum;
        }
        u[lid] = select(0.0, mine, i < tokens);
        workgroupBarrier();
        if DELTA {
            mine = 0.0;
            for (var m = 0u; m < CHUNK; m++) {
                if m <= i {
                    mine += pairs[pair + m] * u[m * OWNED + j];
                }
            }
        }
        for (var n = 0u; n < LOADS; n++) {
            let e = n * OWNED + j;
            if e < QUADS && i < tokens {
                tile[i * PITCH + e] = quad(q_at, e);
            }
        }
        workgroupBarrier();
        u[lid] = select(0.0, mine, i < tokens);
        var answer = 0.0;
        for (var e = 0u; e < QUADS; e++) {
            answer += dot(tile[i * PITCH + e], s[j * PITCH + e]);
        }
        workgroupBarrier();
        answer *= pairs[pair + FACTORS + 2u];
        for (var m = 0u; m < CHUNK; m++) {
            if m <= i {
                answer += pairs[pair + CHUNK + m] * u[m * OWNED + j];
            }
        }
        if !DELTA {
            answer += heads[2u * HEADS + head] * v;
        }
        if i < tokens && place < VALUE {
            y[token * Y_STRIDE + head * VALUE + column] = answer;
        }
        let left = pairs[pair + FACTORS + 3u];
        for (var n = 0u; n < LOADS; n++) {
            let e = n * OWNED + j;
            if e < QUADS {
                tile[i * PITCH + e] = left * k[n];
            }
        }
        workgroupBarrier();
        let decay = pairs[last + 4u];
        for (var n = 0u; n < STEPS; n++) {
            let e = n * CHUNK + i;
            if e < QUADS {
                var sum = decay * s[j * PITCH + e];
                for (var m = 0u; m < CHUNK; m++) {
                    sum += u[m * OWNED + j] * tile[m * PITCH + e];
                }
                s[j * PITCH + e] = sum;
            }
        }
        workgroupBarrier();
    }
    if place < VALUE && to != 0u {
        for (var n = 0u; n < STEPS; n++) {
            let e = n * CHUNK + i;
            if e < QUADS {
                state[to * (SLOT_WORDS / 4u) + at + e] = s[j * PITCH + e];
            }
        }
    }
}
