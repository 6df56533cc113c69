// Combines the spans that attention items kept of a query row, in order (Flash-Decoding): each weighted by
// exp(its maximum − the greatest), the sum divided once. A span whose sum is 0 saw nothing and counts for nothing. A
// workgroup owns a row: its lanes read the states of as many spans at once, then share the output's columns, and where those
// are fewer than lanes, the spans.
//! include: step fold none
//! slot lse: lse_none lse_keep
//! const BQ: u32            query rows of an item
//! const LANES: u32         invocations: at least as many as columns
//! const HEAD_DIM: u32      elements of a head
//! const HEADS_PER_KV: u32  query heads that share a KV head
//! const KV_HEADS: u32      KV heads
//! const OUT_STRIDE: u32    words from one token's output to the next
//! const MERGES_WORD: u32   the step's word with the number of merges
//! most MERGED: u32         partial results of a merge

@group(0) @binding(1) var<storage, read> partials: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

const COLUMNS: u32 = (HEAD_DIM + 3u) / 4u; // at most LANES
const PARTS: u32 = LANES / COLUMNS;
const EARLY: u32 = 4u; // columns that a lane reads before it knows what they weigh

var<workgroup> states: array<vec2<f32>, LANES>; // maximum and sum
var<workgroup> weights: array<f32, LANES>;
var<workgroup> pieces: array<vec4<f32>, LANES>;

@compute @workgroup_size(LANES, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let index = group.z * FOLD + group.x;
    let merges = step[MERGES_WORD];
    let kv_head = group.y / BQ;
    let merge = step[MERGES_WORD + 1u] + min(index, merges - 1u) * MERGE_WORDS;
    let row = step[merge];
    let first = step[merge + 1u];
    let items = step[merge + 2u];
    let flat = step[merge + 3u] + group.y % BQ;
    let there = index < merges && flat < row_count(row) * HEADS_PER_KV;

    let base = (first * KV_HEADS + kv_head) * BQ + group.y % BQ;
    let c = lane % COLUMNS;
    let part = lane / COLUMNS;
    var greatest = NONE;
    var sum = 0.0;
    var x = vec4<f32>(0.0);
    //! turns: MERGED / LANES + 1u
    for (var at = 0u; at < items; at += LANES) {
        let count = min(LANES, items - at);
        var state = vec2<f32>(NONE, 0.0);
        if lane < count {
            state = partials[(base + (at + lane) * KV_HEADS * BQ) * (COLUMNS + 1u) + COLUMNS].xy;
        }
        if state.y == 0.0 {
            state.x = NONE;
        }
        var early: array<vec4<f32>, EARLY>;
        if part < PARTS {
            for (var n = 0u; n < EARLY; n++) {
                if part + n * PARTS < count {
                    early[n] = partials[(base + (at + part + n * PARTS) * KV_HEADS * BQ) * (COLUMNS + 1u) + c];
                }
            }
        }
        workgroupBarrier();
        states[lane] = state;
        workgroupBarrier();
        var now = greatest;
        //! turns: LANES
        for (var i = 0u; i < count; i++) { now = max(now, states[i].x); }
        weights[lane] = select(0.0, exp(min(state.x - now, 0.0)), state.y > 0.0);
        let scale = select(exp(min(greatest - now, 0.0)), 1.0, greatest == now);
        greatest = now;
        sum *= scale;
        x *= scale;
        workgroupBarrier();
        //! turns: LANES
        for (var i = 0u; i < count; i++) { sum += weights[i] * states[i].y; }
        if part < PARTS {
            for (var n = 0u; n < EARLY; n++) {
                if part + n * PARTS < count {
                    x += early[n] * weights[part + n * PARTS];
                }
            }
            //! turns: LANES / PARTS + 1u
            for (var i = part + EARLY * PARTS; i < count; i += PARTS) {
                x += partials[(base + (at + i) * KV_HEADS * BQ) * (COLUMNS + 1u) + c] * weights[i];
            }
        }
    }
    pieces[lane] = x;
    workgroupBarrier();
    if part > 0u || !there {
        return;
    }
    for (var n = 1u; n < PARTS; n++) { x += pieces[lane + n * COLUMNS]; }
    if sum > 0.0 {
        x /= sum;
    }
    let head = kv_head * HEADS_PER_KV + flat % HEADS_PER_KV;
    let token = row_first(row) + flat / HEADS_PER_KV;
    let to = token * OUT_STRIDE + head * HEAD_DIM;
    let e = 4u * c;
    out[to + e] = x.x;
    if e + 1u < HEAD_DIM {
        out[to + e + 1u] = x.y;
    }
    if e + 2u < HEAD_DIM {
        out[to + e + 2u] = x.z;
    }
    if e + 3u < HEAD_DIM {
        out[to + e + 3u] = x.w;
    }
    if lane == 0u {
        keep_lse(token * (KV_HEADS * HEADS_PER_KV) + head, greatest, sum);
    }
}
