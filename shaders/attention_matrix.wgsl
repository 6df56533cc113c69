// Flash attention with matrix fragments (FlashAttention-2, arXiv 2307.08691, algorithm 1, forward): f16 products summed in
// f32. A workgroup owns SUBGROUPS · ROWS query rows of one KV head, packed as in attention.wgsl, and walks the keys of its
// item in tiles of KEYS. A subgroup owns ROWS of the rows: their Q and O stay in fragments, so in registers, while K, V,
// the scores S and the weights P go through workgroup memory, where LANES_A_ROW lanes own a row's softmax.
//
// A fragment's elements cannot be reached, so O is not rescaled each time a maximum moves: weights are 2^(s − reference),
// with s in units of log2, and the reference follows the maximum only when that has passed it by SLACK. Then the workgroup
// as a whole takes O through workgroup memory. Weights are so at most 2^SLACK, well inside f16, and sums are f32.
//! include: step sight score mask dropout fold none
//! slot keys: keys_blocks keys_rows
//! slot q: q_f32 q_f32x4 q_f16 q_bf16
//! slot matrix: matrix_subgroup matrix_plain
//! slot eight: matrix_kv_any matrix_kv_f16
//! slot lse: lse_none lse_keep
//! const DEPTH: u32         fragments along the head dim
//! const Q_DEPTH: u32       of those, staged at a time of Q
//! const KEYS: u32          keys of a tile
//! const ROWS: u32          query rows of a subgroup
//! const KEY_PARTS: u32     fragments along a tile's keys
//! const HALVES: u32        halves of workgroup memory
//! const FLOATS: u32        floats of workgroup memory
//! const BQ: u32            query rows of a workgroup
//! const SUBGROUPS: u32     subgroups of a workgroup
//! const SUBGROUP: u32      invocations of a subgroup
//! const ROWS_EACH: u32     rows of a lane
//! const ROW_LANES: u32     lanes that own different rows
//! const KEYS_EACH: u32     keys of a lane
//! const FETCHES: u32       loads that an invocation makes of a tile of K, or V
//! const PARTS: u32         fragments of Q, and of O
//! const FRAGMENTS: u32     fragments along a subgroup's rows
//! const OUT_STRIDE: u32    words from one token's output to the next
//! const HEAD_DIM: u32      elements of a head
//! const SINKS: u32         first keys that stay in sight under a window
//! const WORKGROUP: u32     invocations of a workgroup
//! const MASK: u32          kind of mask: 0 none, 1 boolean, 2 additive
//! const HEADS_PER_KV: u32  query heads that share a KV head
//! const CAUSAL: bool       a query sees no key behind its own position
//! const WINDOW: u32        a query sees keys less than so far away; 0: all
//! const SCALE: f32         of q·k
//! const SOFTCAP: f32       bound of scores; 0: none
//! const ALIBI: bool        scores fall with distance
//! const DROP_BELOW: u32    a draw below it drops a weight; 0: no dropout
//! const ITEMS_WORD: u32    the step's word with the number of items
//! const KV_HEADS: u32      KV heads
//! most TILES: u32          tiles that a launch walks

@group(0) @binding(1) var<storage, read> q: array<QUnit>;
@group(0) @binding(2) var<storage, read> k_cache: array<KvUnit>;
@group(0) @binding(3) var<storage, read> v_cache: array<KvUnit>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

const WHOLE: u32 = 0x80000000u;                   // mark of an item that sees all its rows' keys
const LEAST: f32 = -1.0e38;                        // below the scores of visible keys
const SLACK: f32 = 8.0;
const LOG2E: f32 = 1.4426950408889634;
const LN2: f32 = 0.6931471805599453;

const COLUMNS: u32 = (HEAD_DIM + 3u) / 4u;         // of four elements
const EIGHTS: u32 = 2u * DEPTH;                    // eight elements each
const KV_STRIDE: u32 = 16u * DEPTH + 8u;           // halves from one key's row to the next
const Q_STRIDE_HALVES: u32 = 16u * Q_DEPTH + 8u;   // from one row's part of Q to the next's
const P_STRIDE: u32 = KEYS + 8u;                   // halves from one row's weights to the next's
const S_STRIDE: u32 = KEYS + 4u;                   // floats from one row's scores to the next's
const V_AT: u32 = KEYS * KV_STRIDE;
const P_AT: u32 = 2u * KEYS * KV_STRIDE;
const P_SIZE: u32 = ROWS * P_STRIDE;               // of one subgroup
const PIECES: u32 = (DEPTH + KEY_PARTS - 1u) / KEY_PARTS; // of O, each as wide as S

// First Q, [BQ][Q_STRIDE_HALVES]; then K and V, [KEYS][KV_STRIDE] each, and P, [SUBGROUPS][ROWS][P_STRIDE].
var<workgroup> halves: array<Half, HALVES>;
var<workgroup> floats: array<f32, FLOATS>;         // S, or a piece of O, [BQ][S_STRIDE]
var<workgroup> row_scale: array<f32, BQ>;          // what a row of O is multiplied by
var<workgroup> moved: array<u32, SUBGROUPS>;       // whether a subgroup's reference has to follow

struct Eight { low: Half4, high: Half4 }

// Share is what the workgroup computes: rows [first, flat_rows) of a sequence and its keys [begin, end).
struct Share {
    row: u32,
    kv_head: u32,
    first: u32,
    flat_rows: u32,
    token: u32,    // the sequence's first
    keys_at: u32,  // see kv_row
    start: i32,    // position of the sequence's first query
    begin: i32,
    end: i32,      // of the keys that some row sees
    lowest: i32,   // first key inside the window of some row
    mask: u32,
}

// Softmax is the state of a lane's rows.
struct Softmax {
    reference: array<f32, ROWS_EACH>,
    highest: array<f32, ROWS_EACH>,
    sum: array<f32, ROWS_EACH>,
    tile_sum: array<f32, ROWS_EACH>,
}

// put_eight stores eight halves, the n-th eight of all. Bounds that a compiler sees leave one store of them.
fn put_eight(n: u32, x: Eight) {
    let at = 8u * min(n, HALVES / 8u - 1u);
    halves[at] = x.low.x;
    halves[at + 1u] = x.low.y;
    halves[at + 2u] = x.low.z;
    halves[at + 3u] = x.low.w;
    halves[at + 4u] = x.high.x;
    halves[at + 5u] = x.high.y;
    halves[at + 6u] = x.high.z;
    halves[at + 7u] = x.high.w;
}

fn loaded(s: Share, key: i32) -> bool {
    return key < s.end && (key >= s.lowest || key < i32(SINKS));
}

// fetch_k reads a lane's share of a tile's keys, put_tile writes it to workgroup memory: between the two, what else there is to
// do hides how long memory takes. Keys out of sight are 0.
fn fetch_k(s: Share, tile: i32, lane: u32) -> array<Eight, FETCHES> {
    var x: array<Eight, FETCHES>;
    //! unroll
    for (var n = 0u; n < FETCHES; n++) {
        let i = lane + n * WORKGROUP;
        let key = tile + i32(i / EIGHTS);
        x[n] = Eight(Half4(), Half4());
        if loaded(s, key) && 8u * (i % EIGHTS) < HEAD_DIM {
            x[n] = k_eight(kv_row(s.keys_at, s.kv_head, u32(key)), i % EIGHTS);
        }
    }
    return x;
}

fn fetch_v(s: Share, tile: i32, lane: u32) -> array<Eight, FETCHES> {
    var x: array<Eight, FETCHES>;
    //! unroll
    for (var n = 0u; n < FETCHES; n++) {
        let i = lane + n * WORKGROUP;
        let key = tile + i32(i / EIGHTS);
        x[n] = Eight(Half4(), Half4());
        if loaded(s, key) && 8u * (i % EIGHTS) < HEAD_DIM {
            x[n] = v_eight(kv_row(s.keys_at, s.kv_head, u32(key)), i % EIGHTS);
        }
    }
    return x;
}

fn put_tile(at: u32, x: array<Eight, FETCHES>, lane: u32) {
    var fetched = x;
    //! unroll
    for (var n = 0u; n < FETCHES; n++) {
        let i = lane + n * WORKGROUP;
        if i < KEYS * EIGHTS {
            put_eight(at / 8u + (i / EIGHTS) * (KV_STRIDE / 8u) + i % EIGHTS, fetched[n]);
        }
    }
}

// masked_out tells whether the mask hides a tile from all of the workgroup's rows.
fn masked_out(s: Share, tile: i32) -> bool {
    if MASK == 0u || s.mask == 0u {
        return false;
    }
    let last = min(s.first + BQ, s.flat_rows) - 1u;
    let last_key = u32(min(tile + i32(KEYS), s.end) - 1);
    let heads = select(HEADS_PER_KV, 1u, step[s.mask] == 1u);
    //! turns: HEADS_PER_KV
    for (var h = 0u; h < heads; h++) {
        //! turns: BQ / HEADS_PER_KV / MASK_BLOCK + 2u
        for (var y = s.first / HEADS_PER_KV / MASK_BLOCK; y <= last / HEADS_PER_KV / MASK_BLOCK; y++) {
            //! turns: KEYS / MASK_BLOCK + 1u
            for (var x = u32(tile) / MASK_BLOCK; x <= last_key / MASK_BLOCK; x++) {
                let entry = mask_entry(s.mask, s.kv_head * HEADS_PER_KV + h, y * MASK_BLOCK, x * MASK_BLOCK);
                if entry != MASK_HIDDEN {
                    return false;
                }
            }
        }
    }
    return true;
}

// next_tile gives the first tile from tile on that some row may see.
fn next_tile(s: Share, tile: i32) -> i32 {
    var t = tile;
    // Of all calls together there are no more turns than tiles.
    //! turns: 1u
    while t < s.end {
        if t >= i32(SINKS) && t + i32(KEYS) <= s.lowest {
            t += (s.lowest - t) / i32(KEYS) * i32(KEYS);
        } else if masked_out(s, t) {
            t += i32(KEYS);
        } else {
            break;
        }
    }
    return t;
}

// all_see tells whether every row sees every key of a tile.
fn all_see(s: Share, tile: i32) -> bool {
    let first = s.start + i32(s.first / HEADS_PER_KV);
    let last = s.start + i32((s.first + BQ - 1u) / HEADS_PER_KV);
    let last_key = tile + i32(KEYS) - 1;
    return (MASK == 0u || s.mask == 0u) && last_key < s.end && (!CAUSAL || last_key <= first)
        && (WINDOW == 0u || (last - tile < i32(WINDOW) && last_key - first < i32(WINDOW)));
}

// weigh turns a tile's scores into weights, and tells whether a row's maximum has passed its reference too far for them. With
// follow the references become the maxima first, and row_scale says what that does to O.
fn weigh(s: Share, state: ptr<function, Softmax>, tile: i32, subgroup: u32, lane: u32, follow: bool) -> bool {
    let own = lane % SUBGROUP;
    let rows_at = subgroup * ROWS;
    let part = own / ROW_LANES * KEYS_EACH;
    let all = all_see(s, tile);
    var passed = false;
    //! unroll
    for (var e = 0u; e < ROWS_EACH; e++) {
        let r = rows_at + e * ROW_LANES + own % ROW_LANES;
        let flat = s.first + r;
        let query = flat / HEADS_PER_KV;
        let head = s.kv_head * HEADS_PER_KV + flat % HEADS_PER_KV;
        let position = s.start + i32(query);
        let slope = alibi_slope(head);
        let at = 4u * min((r * S_STRIDE + part) / 4u, (FLOATS - KEYS_EACH) / 4u); // as in put_eight
        let key_at = tile + i32(part);
        var x: array<f32, KEYS_EACH>;
        var top = NONE;
        if all {
            //! unroll
            for (var c = 0u; c < KEYS_EACH; c++) {
                x[c] = SCALE * LOG2E * floats[at + c];
                if SOFTCAP > 0.0 || ALIBI {
                    x[c] = LOG2E * (capped(SCALE * floats[at + c]) + alibi(slope, position, key_at + i32(c)));
                }
                top = max(top, x[c]);
            }
        } else {
            //! unroll
            for (var c = 0u; c < KEYS_EACH; c++) {
                let key = key_at + i32(c);
                x[c] = NONE;
                if flat < s.flat_rows && key < s.end && in_sight(position, key) && mask_sees(s.mask, head, query, u32(key)) {
                    let score = capped(SCALE * floats[at + c]) + alibi(slope, position, key);
                    x[c] = LOG2E * max(score + mask_adds(s.mask, head, query, u32(key)), 0.5 * LEAST);
                }
                top = max(top, x[c]);
            }
        }
        let highest = max((*state).highest[e], row_max(top, lane));
        var reference = (*state).reference[e];
        if follow {
            let scale = select(exp2(min(reference - highest, 0.0)), 1.0, reference == NONE || reference >= highest);
            (*state).sum[e] *= scale;
            if part == 0u {
                row_scale[r] = scale;
            }
        }
        if follow || reference == NONE {
            reference = max(reference, highest);
        }
        passed = passed || highest - SLACK > reference;
        (*state).highest[e] = highest;
        (*state).reference[e] = reference;
        let to = 8u * min((P_AT + subgroup * P_SIZE + (r - rows_at) * P_STRIDE + part) / 8u, (HALVES - KEYS_EACH) / 8u);
        let zero = max(reference, LEAST); // so that hidden keys weigh nothing where a row has seen none yet
        var total = 0.0;
        //! unroll
        for (var c = 0u; c < KEYS_EACH; c++) {
            var p = half(exp2(min(x[c] - zero, SLACK)));
            total += f32(p);
            if DROP_BELOW > 0u {
                p = half(min(f32(p) * dropout_factor(s.row, head, query, u32(key_at) + c), 65504.0));
            }
            halves[to + c] = p;
        }
        (*state).tile_sum[e] = total;
    }
    return passed;
}

// put_piece writes a piece of O to floats.
fn put_piece(o: ptr<function, array<Result, PARTS>>, piece: u32, subgroup: u32) {
    let at = subgroup * ROWS * S_STRIDE;
    //! unroll
    for (var f = 0u; f < FRAGMENTS; f++) {
        //! unroll
        for (var n = 0u; n < KEY_PARTS; n++) {
            let d = piece * KEY_PARTS + n;
            if d < DEPTH {
                keep_result(at + 16u * (f * S_STRIDE + n), S_STRIDE, (*o)[f * DEPTH + d]);
            }
        }
    }
    workgroupBarrier();
}

// scale_piece multiplies the rows of a piece of O by row_scale.
fn scale_piece(o: ptr<function, array<Result, PARTS>>, piece: u32, subgroup: u32, lane: u32) {
    put_piece(o, piece, subgroup);
    let rows_at = subgroup * ROWS;
    for (var i = lane % SUBGROUP; i < ROWS * KEYS; i += SUBGROUP) {
        let r = rows_at + i / KEYS;
        floats[r * S_STRIDE + i % KEYS] *= row_scale[r];
    }
    workgroupBarrier();
    //! unroll
    for (var f = 0u; f < FRAGMENTS; f++) {
        //! unroll
        for (var n = 0u; n < KEY_PARTS; n++) {
            let d = piece * KEY_PARTS + n;
            if d < DEPTH {
                (*o)[f * DEPTH + d] = result_rows(rows_at * S_STRIDE + 16u * (f * S_STRIDE + n), S_STRIDE);
            }
        }
    }
    workgroupBarrier();
}

// store_piece writes the rows of a piece of O, times row_scale, to the output.
fn store_piece(o: ptr<function, array<Result, PARTS>>, piece: u32, subgroup: u32, lane: u32, s: Share) {
    put_piece(o, piece, subgroup);
    for (var i = lane % SUBGROUP; i < ROWS * KEYS; i += SUBGROUP) {
        let r = subgroup * ROWS + i / KEYS;
        let flat = s.first + r;
        let e = piece * KEYS + i % KEYS;
        if flat < s.flat_rows && e < HEAD_DIM {
            let head = s.kv_head * HEADS_PER_KV + flat % HEADS_PER_KV;
            let token = s.token + flat / HEADS_PER_KV;
            out[token * OUT_STRIDE + head * HEAD_DIM + e] = floats[r * S_STRIDE + i % KEYS] * row_scale[r];
        }
    }
    workgroupBarrier();
}

// load_q takes the fragments of Q from first on, Q_DEPTH of them along the head dim, through halves.
fn load_q(q_parts: ptr<function, array<Left, PARTS>>, s: Share, first: u32, subgroup: u32, lane: u32) {
    for (var i = lane; i < BQ * 4u * Q_DEPTH; i += WORKGROUP) {
        let r = i / (4u * Q_DEPTH);
        let c = i % (4u * Q_DEPTH);
        let column = 4u * first + c;
        let flat = s.first + r;
        var x = Half4();
        if flat < s.flat_rows && column < COLUMNS {
            let head = s.kv_head * HEADS_PER_KV + flat % HEADS_PER_KV;
            x = half4(q_column(s.token + flat / HEADS_PER_KV, head, column));
        }
        let at = 4u * min((r * Q_STRIDE_HALVES) / 4u + c, HALVES / 4u - 1u);
        halves[at] = x.x;
        halves[at + 1u] = x.y;
        halves[at + 2u] = x.z;
        halves[at + 3u] = x.w;
    }
    workgroupBarrier();
    //! unroll
    for (var f = 0u; f < FRAGMENTS; f++) {
        //! unroll
        for (var d = 0u; d < Q_DEPTH; d++) {
            if first + d < DEPTH {
                (*q_parts)[f * DEPTH + first + d] = left_rows((subgroup * ROWS + 16u * f) * Q_STRIDE_HALVES + 16u * d, Q_STRIDE_HALVES);
            }
        }
    }
    workgroupBarrier();
}

// attend is the kernel; the fragments' library has its entry point.
fn attend(group: vec3<u32>, subgroup: u32, lane: u32) {
    let index = group.z * FOLD + group.y;
    if index >= step[ITEMS_WORD] {
        return;
    }
    let item = step[ITEMS_WORD + 1u] + index * ITEM_WORDS;
    var s: Share;
    s.row = step[item];
    s.kv_head = group.x;
    s.first = step[item + 1u] & ~WHOLE;
    s.flat_rows = row_count(s.row) * HEADS_PER_KV;
    s.token = row_first(s.row);
    s.keys_at = keys_of(s.row);
    s.start = bitcast<i32>(row_start(s.row));
    s.begin = bitcast<i32>(step[item + 2u]);
    s.end = max(0, bitcast<i32>(step[item + 3u]));
    s.lowest = s.begin;
    s.mask = mask_of(s.row);
    let last = s.start + i32((min(s.first + BQ, s.flat_rows) - 1u) / HEADS_PER_KV);
    if CAUSAL {
        s.end = min(s.end, last + 1);
    } else if WINDOW > 0u {
        s.end = min(s.end, max(last + i32(WINDOW), i32(SINKS)));
    }
    if WINDOW > 0u {
        s.lowest = max(s.lowest, s.start + i32(s.first / HEADS_PER_KV) - i32(WINDOW) + 1);
    }

    var q_parts: array<Left, PARTS>;
    load_q(&q_parts, s, 0u, subgroup, lane);
    if DEPTH > Q_DEPTH {
        load_q(&q_parts, s, Q_DEPTH, subgroup, lane);
    }
    if DEPTH > 2u * Q_DEPTH {
        load_q(&q_parts, s, 2u * Q_DEPTH, subgroup, lane);
    }
    if DEPTH > 3u * Q_DEPTH {
        load_q(&q_parts, s, 3u * Q_DEPTH, subgroup, lane);
    }

    var o: array<Result, PARTS>;
    var state: Softmax;
    //! unroll
    for (var e = 0u; e < ROWS_EACH; e++) {
        state.reference[e] = NONE;
        state.highest[e] = NONE;
    }
    let scores_at = subgroup * ROWS * S_STRIDE;
    let weights_at = P_AT + subgroup * P_SIZE;
    var tile = next_tile(s, s.begin);
    put_tile(0u, fetch_k(s, tile, lane), lane);
    workgroupBarrier();
    //! turns: TILES
    while tile < s.end {
        let next = next_tile(s, tile + i32(KEYS));
        let v = fetch_v(s, tile, lane);
        //! unroll
        for (var n = 0u; n < KEY_PARTS; n++) {
            var scores = array<Result, FRAGMENTS>();
            //! unroll
            for (var d = 0u; d < DEPTH; d++) {
                let keys = right_columns(16u * (n * KV_STRIDE + d), KV_STRIDE);
                //! unroll
                for (var f = 0u; f < FRAGMENTS; f++) { scores[f] = multiply_add(q_parts[f * DEPTH + d], keys, scores[f]); }
            }
            //! unroll
            for (var f = 0u; f < FRAGMENTS; f++) {
                keep_result(scores_at + 16u * (f * S_STRIDE + n), S_STRIDE, scores[f]);
            }
        }
        workgroupBarrier();

        put_tile(V_AT, v, lane);
        let k = fetch_k(s, next, lane);
        let passed = any_lane(weigh(s, &state, tile, subgroup, lane, false), lane);
        if lane % SUBGROUP == 0u {
            moved[subgroup] = u32(passed);
        }
        put_tile(0u, k, lane);
        var marks = workgroupUniformLoad(&moved);
        var follow = false;
        for (var i = 0u; i < SUBGROUPS; i++) { follow = follow || marks[i] != 0u; }
        if follow {
            weigh(s, &state, tile, subgroup, lane, true);
            workgroupBarrier();
            scale_piece(&o, 0u, subgroup, lane);
            if PIECES > 1u {
                scale_piece(&o, 1u, subgroup, lane);
            }
            if PIECES > 2u {
                scale_piece(&o, 2u, subgroup, lane);
            }
            if PIECES > 3u {
                scale_piece(&o, 3u, subgroup, lane);
            }
            if PIECES > 4u {
                scale_piece(&o, 4u, subgroup, lane);
            }
            if PIECES > 5u {
                scale_piece(&o, 5u, subgroup, lane);
            }
            if PIECES > 6u {
                scale_piece(&o, 6u, subgroup, lane);
            }
            if PIECES > 7u {
                scale_piece(&o, 7u, subgroup, lane);
            }
        }
        //! unroll
        for (var e = 0u; e < ROWS_EACH; e++) { state.sum[e] += state.tile_sum[e]; }

        //! unroll
        for (var n = 0u; n < KEY_PARTS; n++) {
            var weights: array<Left, FRAGMENTS>;
            //! unroll
            for (var f = 0u; f < FRAGMENTS; f++) { weights[f] = left_rows(weights_at + 16u * (f * P_STRIDE + n), P_STRIDE); }
            //! unroll
            for (var d = 0u; d < DEPTH; d++) {
                let values = right_rows(V_AT + 16u * (n * KV_STRIDE + d), KV_STRIDE);
                //! unroll
                for (var f = 0u; f < FRAGMENTS; f++) { o[f * DEPTH + d] = multiply_add(weights[f], values, o[f * DEPTH + d]); }
            }
        }
        tile = next;
    }

    let own = lane % SUBGROUP;
    //! unroll
    for (var e = 0u; e < ROWS_EACH; e++) {
        let r = subgroup * ROWS + e * ROW_LANES + own % ROW_LANES;
        let sum = row_sum(state.sum[e], lane);
        if own < ROW_LANES {
            row_scale[r] = select(0.0, 1.0 / max(sum, 1.0e-30), sum > 0.0);
            let flat = s.first + r;
            if flat < s.flat_rows {
                let head = s.kv_head * HEADS_PER_KV + flat % HEADS_PER_KV;
                let token = s.token + flat / HEADS_PER_KV;
                keep_lse(token * HEADS_PER_KV * KV_HEADS + head, LN2 * max(state.reference[e], LEAST), sum);
            }
        }
    }
    workgroupBarrier();
    store_piece(&o, 0u, subgroup, lane, s);
    if PIECES > 1u {
        store_piece(&o, 1u, subgroup, lane, s);
    }
    if PIECES > 2u {
        store_piece(&o, 2u, subgroup, lane, s);
    }
    if PIECES > 3u {
        store_piece(&o, 3u, subgroup, lane, s);
    }
    if PIECES > 4u {
        store_piece(&o, 4u, subgroup, lane, s);
    }
    if PIECES > 5u {
        store_piece(&o, 5u, subgroup, lane, s);
    }
    if PIECES > 6u {
        store_piece(&o, 6u, subgroup, lane, s);
    }
    if PIECES > 7u {
        store_piece(&o, 7u, subgroup, lane, s);
    }
}
