// Flash attention with matrix fragments (FlashAttention-2, arXiv 2307.08691, algorithm 1, forward): f16 products summed in
// f32. A workgroup owns SUBGROUPS · ROWS query rows of one KV head, packed as in attention.wgsl, and walks the keys of its
// item in tiles of BK. A subgroup owns ROWS of the rows: their Q and O stay in fragments, so in registers, while K, V,
// the scores S and the weights P go through workgroup memory, where LANES_A_ROW lanes own a row's softmax.
//
// A fragment's elements cannot be reached, so O is not rescaled each time a maximum moves: weights are 2^(s − reference),
// with s in units of log2, and the reference follows the maximum only when that has passed it by SLACK. Then the workgroup
// as a whole takes O through workgroup memory. Weights are so at most 2^SLACK, well inside f16, and sums are f32.
//! include: step sight score mask dropout item fold none
//! slot keys: keys_blocks keys_rows
//! slot q: q_f32 q_f32x4 q_f16 q_bf16
//! slot matrix: matrix_subgroup matrix_plain
//! slot eight: matrix_kv_any matrix_kv_f16
//! slot lse: lse_none lse_keep
//! const DEPTH: u32       fragments along the head dim
//! const Q_DEPTH: u32     of those, staged at a time of Q
//! const BK: u32          keys of a tile
//! const ROWS: u32        query rows of a subgroup
//! const KEY_PARTS: u32   fragments along a tile's keys
//! const HALVES: u32      halves of workgroup memory
//! const FLOATS: u32      floats of workgroup memory
//! const BQ: u32          query rows of a workgroup
//! const SUBGROUPS: u32   subgroups of a workgroup
//! const SUBGROUP: u32    invocations of a subgroup
//! const ROWS_EACH: u32   rows of a lane
//! const ROW_LANES: u32   lanes that own different rows
//! const KEYS_EACH: u32   keys of a lane
//! const FETCHES: u32     loads that an invocation makes of a tile of K, or V
//! const PARTS: u32       fragments of Q, and of O
//! const FRAGMENTS: u32   fragments along a subgroup's rows
//! const OUT_STRIDE: u32  words from one token's output to the next
//! const HEAD_DIM: u32    elements of a head
//! const WORKGROUP: u32   invocations of a workgroup
//! const WINDOW: u32      a query sees keys less than so far away; 0: all
//! const SCALE: f32       of q·k
//! const SOFTCAP: f32     bound of scores; 0: none
//! const ALIBI: bool      scores fall with distance
//! const DROP_BELOW: u32  a draw below it drops a weight; 0: no dropout
//! const ITEMS_WORD: u32  the step's word with the number of items
//! most TILES: u32        tiles that a launch walks

@group(0) @binding(1) var<storage, read> q: array<QUnit>;
@group(0) @binding(2) var<storage, read> k_cache: array<KvUnit>;
@group(0) @binding(3) var<storage, read> v_cache: array<KvUnit>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

const LEAST: f32 = -1.0e38;                      // below the scores of visible keys
const SLACK: f32 = 8.0;
const LOG2E: f32 = 1.4426950408889634;
const LN2: f32 = 0.6931471805599453;

const EIGHTS: u32 = 2u * DEPTH;                  // eight elements each
const KV_STRIDE: u32 = 16u * DEPTH + 8u;         // halves from one key's row to the next
const Q_STRIDE_HALVES: u32 = 16u * Q_DEPTH + 8u; // from one row's part of Q to the next's
const P_STRIDE: u32 = BK + 8u;                   // halves from one row's weights to the next's
const S_STRIDE: u32 = BK + 4u;                   // floats from one row's scores to the next's
const V_AT: u32 = BK * KV_STRIDE;
const P_AT: u32 = 2u * BK * KV_STRIDE;
const P_SIZE: u32 = ROWS * P_STRIDE;             // of one subgroup
const PIECES: u32 = (DEPTH + KEY_PARTS - 1u) / KEY_PARTS; // of O, each as wide as S

// First Q, [BQ][Q_STRIDE_HALVES]; then K and V, [BK][KV_STRIDE] each, and P, [SUBGROUPS][ROWS][P_STRIDE].
var<workgroup> halves: array<Half, HALVES>;
var<workgroup> floats: array<f32, FLOATS>;         // S, or a piece of O, [BQ][S_STRIDE]
var<workgroup> row_scale: array<f32, BQ>;          // what a row of O is multiplied by
var<workgroup> moved: array<u32, SUBGROUPS>;       // whether a subgroup's reference has to follow

struct Eight { low: Half4, high: Half4 }

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

// fetch_k reads a lane's share of a tile's keys, put_tile writes it to workgroup memory: between the two, what else there is to
// do hides how long memory takes. Keys out of sight are 0.
fn fetch_k(item: Item, keys: Keys, tile: i32, lane: u32) -> array<Eight, FETCHES> {
    var x: array<Eight, FETCHES>;
    //! unroll
    for (var n = 0u; n < FETCHES; n++) {
        let i = lane + n * WORKGROUP;
        let key = tile + i32(i / EIGHTS);
        x[n] = Eight(Half4(), Half4());
        if loaded(keys, key) && 8u * (i % EIGHTS) < HEAD_DIM {
            x[n] = k_eight(kv_at(item.keys_at, item.kv_head, u32(key)), i % EIGHTS);
        }
    }
    return x;
}

fn fetch_v(item: Item, keys: Keys, tile: i32, lane: u32) -> array<Eight, FETCHES> {
    var x: array<Eight, FETCHES>;
    //! unroll
    for (var n = 0u; n < FETCHES; n++) {
        let i = lane + n * WORKGROUP;
        let key = tile + i32(i / EIGHTS);
        x[n] = Eight(Half4(), Half4());
        if loaded(keys, key) && 8u * (i % EIGHTS) < HEAD_DIM {
            x[n] = v_eight(kv_at(item.keys_at, item.kv_head, u32(key)), i % EIGHTS);
        }
    }
    return x;
}

fn put_tile(at: u32, x: array<Eight, FETCHES>, lane: u32) {
    var fetched = x;
    //! unroll
    for (var n = 0u; n < FETCHES; n++) {
        let i = lane + n * WORKGROUP;
        if i < BK * EIGHTS {
            put_eight(at / 8u + (i / EIGHTS) * (KV_STRIDE / 8u) + i % EIGHTS, fetched[n]);
        }
    }
}

// plain_tile tells whether every row sees every key of a tile. Rows that are not there count too, and sinks are no exception to the
// window: their weights would be rounded otherwise.
fn plain_tile(item: Item, keys: Keys, tile: i32) -> bool {
    let last = item.start + i32(query_of(item.first + BQ - 1u));
    let near = last - tile < i32(WINDOW) && tile + i32(BK) <= keys.first_position + i32(WINDOW);
    return all_seen(item, keys, tile) && (WINDOW == 0u || near);
}

// weigh turns a tile's scores into weights, and tells whether a row's maximum has passed its reference too far for them. With
// follow the references become the maxima first, and row_scale says what that does to O.
fn weigh(item: Item, keys: Keys, state: ptr<function, Softmax>, tile: i32, subgroup: u32, lane: u32, follow: bool) -> bool {
    let own = lane % SUBGROUP;
    let rows_at = subgroup * ROWS;
    let part = own / ROW_LANES * KEYS_EACH;
    let all = plain_tile(item, keys, tile);
    var passed = false;
    //! unroll
    for (var e = 0u; e < ROWS_EACH; e++) {
        let r = rows_at + e * ROW_LANES + own % ROW_LANES;
        let flat = item.first + r;
        let query = query_of(flat);
        let head = head_of(item, flat);
        let position = item.start + i32(query);
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
                if flat < item.rows && key < keys.highest && in_sight(position, key) && mask_sees(item.mask, head, query, u32(key)) {
                    let score = capped(SCALE * floats[at + c]) + alibi(slope, position, key);
                    x[c] = LOG2E * max(score + mask_adds(item.mask, head, query, u32(key)), 0.5 * LEAST);
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
                p = half(min(f32(p) * dropout_factor(item.row, head, query, u32(key_at) + c), 65504.0));
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
    for (var i = lane % SUBGROUP; i < ROWS * BK; i += SUBGROUP) {
        let r = rows_at + i / BK;
        floats[r * S_STRIDE + i % BK] *= row_scale[r];
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
fn store_piece(o: ptr<function, array<Result, PARTS>>, piece: u32, subgroup: u32, lane: u32, item: Item) {
    put_piece(o, piece, subgroup);
    for (var i = lane % SUBGROUP; i < ROWS * BK; i += SUBGROUP) {
        let r = subgroup * ROWS + i / BK;
        let flat = item.first + r;
        let e = piece * BK + i % BK;
        if flat < item.rows && e < HEAD_DIM {
            out[(item.token + query_of(flat)) * OUT_STRIDE + head_of(item, flat) * HEAD_DIM + e] = floats[r * S_STRIDE + i % BK] * row_scale[r];
        }
    }
    workgroupBarrier();
}

// load_q takes the fragments of Q from first on, Q_DEPTH of them along the head dim, through halves.
fn load_q(q_parts: ptr<function, array<Left, PARTS>>, item: Item, first: u32, subgroup: u32, lane: u32) {
    for (var i = lane; i < BQ * 4u * Q_DEPTH; i += WORKGROUP) {
        let r = i / (4u * Q_DEPTH);
        let c = i % (4u * Q_DEPTH);
        let x = half4(q_row(item, item.first + r, 4u * first + c));
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

// finish_sums writes the rows' log-sum-exps, and leaves in row_scale what their O is to be multiplied by.
fn finish_sums(item: Item, state: ptr<function, Softmax>, subgroup: u32, lane: u32) {
    let own = lane % SUBGROUP;
    //! unroll
    for (var e = 0u; e < ROWS_EACH; e++) {
        let r = subgroup * ROWS + e * ROW_LANES + own % ROW_LANES;
        let sum = row_sum((*state).sum[e], lane);
        if own < ROW_LANES {
            row_scale[r] = select(0.0, 1.0 / max(sum, 1.0e-30), sum > 0.0);
            let flat = item.first + r;
            if flat < item.rows {
                finish_lse(item, flat, LN2 * max((*state).reference[e], LEAST), sum);
            }
        }
    }
}

// attend is the kernel; the fragments' library has its entry point.
fn attend(group: vec3<u32>, subgroup: u32, lane: u32) {
    let index = group.z * FOLD + group.y;
    if index >= step[ITEMS_WORD] {
        return;
    }
    let item = item_at(index, group.x);
    let keys = keys_seen(item);

    var q_parts: array<Left, PARTS>;
    load_q(&q_parts, item, 0u, subgroup, lane);
    if DEPTH > Q_DEPTH {
        load_q(&q_parts, item, Q_DEPTH, subgroup, lane);
    }
    if DEPTH > 2u * Q_DEPTH {
        load_q(&q_parts, item, 2u * Q_DEPTH, subgroup, lane);
    }
    if DEPTH > 3u * Q_DEPTH {
        load_q(&q_parts, item, 3u * Q_DEPTH, subgroup, lane);
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
    var tile = next_tile(item, keys, keys.begin);
    put_tile(0u, fetch_k(item, keys, tile, lane), lane);
    workgroupBarrier();
    //! turns: TILES
    while tile < keys.end {
        let next = next_tile(item, keys, tile + i32(BK));
        // The scores S = Q·K, while V is under way.
        let v = fetch_v(item, keys, tile, lane);
        //! unroll
        for (var n = 0u; n < KEY_PARTS; n++) {
            var scores = array<Result, FRAGMENTS>();
            //! unroll
            for (var d = 0u; d < DEPTH; d++) {
                let columns = right_columns(16u * (n * KV_STRIDE + d), KV_STRIDE);
                //! unroll
                for (var f = 0u; f < FRAGMENTS; f++) { scores[f] = multiply_add(q_parts[f * DEPTH + d], columns, scores[f]); }
            }
            //! unroll
            for (var f = 0u; f < FRAGMENTS; f++) {
                keep_result(scores_at + 16u * (f * S_STRIDE + n), S_STRIDE, scores[f]);
            }
        }
        workgroupBarrier();

        // The weights P, while the next K is under way.
        put_tile(V_AT, v, lane);
        let k = fetch_k(item, keys, next, lane);
        let passed = any_lane(weigh(item, keys, &state, tile, subgroup, lane, false), lane);
        if lane % SUBGROUP == 0u {
            moved[subgroup] = u32(passed);
        }
        put_tile(0u, k, lane);
        var marks = workgroupUniformLoad(&moved);
        var follow = false;
        for (var i = 0u; i < SUBGROUPS; i++) { follow = follow || marks[i] != 0u; }
        if follow {
            weigh(item, keys, &state, tile, subgroup, lane, true);
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

        // The output O += P·V.
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

    finish_sums(item, &state, subgroup, lane);
    workgroupBarrier();
    store_piece(&o, 0u, subgroup, lane, item);
    if PIECES > 1u {
        store_piece(&o, 1u, subgroup, lane, item);
    }
    if PIECES > 2u {
        store_piece(&o, 2u, subgroup, lane, item);
    }
    if PIECES > 3u {
        store_piece(&o, 3u, subgroup, lane, item);
    }
    if PIECES > 4u {
        store_piece(&o, 4u, subgroup, lane, item);
    }
    if PIECES > 5u {
        store_piece(&o, 5u, subgroup, lane, item);
    }
    if PIECES > 6u {
        store_piece(&o, 6u, subgroup, lane, item);
    }
    if PIECES > 7u {
        store_piece(&o, 7u, subgroup, lane, item);
    }
}
