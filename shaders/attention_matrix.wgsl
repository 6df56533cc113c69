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
//! slot fragments: attention_fragments_subgroup attention_fragments_plain
//! slot eight: matrix_kv_any matrix_kv_f16
//! slot lse: lse_none lse_keep
//! const DEPTH: u32       fragments along the head dim
//! const BK: u32          keys of a tile
//! const ROWS: u32        query rows of a subgroup
//! const KEY_PARTS: u32   fragments along a tile's keys
//! const PIECES: u32      of Q, and of O, each as wide as a tile's keys
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
const P_STRIDE: u32 = BK + 8u;                   // halves from one row's weights to the next's
const S_STRIDE: u32 = BK + 4u;                   // floats from one row's scores to the next's
const KV_SIZE: u32 = BK * KV_STRIDE;
const P_SIZE: u32 = ROWS * P_STRIDE;             // of one subgroup
const S_SIZE: u32 = ROWS * S_STRIDE;
const MARKS: u32 = (SUBGROUPS + 3u) / 4u * 4u;   // fragments may lie behind them, and want places that are multiples of 16 bytes

// Chromium checks a fragment's bounds unless its place is a constant, so each subgroup has arrays of its own.
var<workgroup> k_halves: array<Half, KV_SIZE>;
var<workgroup> v_halves: array<Half, KV_SIZE>;
var<workgroup> weights: array<array<Half, P_SIZE>, SUBGROUPS>; // P, or a piece of Q
var<workgroup> floats: array<array<f32, S_SIZE>, SUBGROUPS>;   // S, or a piece of O
var<workgroup> row_scale: array<f32, BQ>;          // what a row of O is multiplied by
var<workgroup> moved: array<u32, MARKS>;           // whether a subgroup's reference has to follow

struct Eight { low: Half4, high: Half4 }

// Softmax is the state of a lane's rows.
struct Softmax {
    reference: array<f32, ROWS_EACH>,
    highest: array<f32, ROWS_EACH>,
    sum: array<f32, ROWS_EACH>,
    tile_sum: array<f32, ROWS_EACH>,
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

fn put_k(x: array<Eight, FETCHES>, lane: u32) {
    var fetched = x;
    //! unroll
    for (var n = 0u; n < FETCHES; n++) {
        let i = lane + n * WORKGROUP;
        if i < BK * EIGHTS {
            let at = 8u * min((i / EIGHTS) * (KV_STRIDE / 8u) + i % EIGHTS, KV_SIZE / 8u - 1u); // bounds that leave one store of eight
            k_halves[at] = fetched[n].low.x;
            k_halves[at + 1u] = fetched[n].low.y;
            k_halves[at + 2u] = fetched[n].low.z;
            k_halves[at + 3u] = fetched[n].low.w;
            k_halves[at + 4u] = fetched[n].high.x;
            k_halves[at + 5u] = fetched[n].high.y;
            k_halves[at + 6u] = fetched[n].high.z;
            k_halves[at + 7u] = fetched[n].high.w;
        }
    }
}

fn put_v(x: array<Eight, FETCHES>, lane: u32) {
    var fetched = x;
    //! unroll
    for (var n = 0u; n < FETCHES; n++) {
        let i = lane + n * WORKGROUP;
        if i < BK * EIGHTS {
            let at = 8u * min((i / EIGHTS) * (KV_STRIDE / 8u) + i % EIGHTS, KV_SIZE / 8u - 1u);
            v_halves[at] = fetched[n].low.x;
            v_halves[at + 1u] = fetched[n].low.y;
            v_halves[at + 2u] = fetched[n].low.z;
            v_halves[at + 3u] = fetched[n].low.w;
            v_halves[at + 4u] = fetched[n].high.x;
            v_halves[at + 5u] = fetched[n].high.y;
            v_halves[at + 6u] = fetched[n].high.z;
            v_halves[at + 7u] = fetched[n].high.w;
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
        let at = 4u * min(((r - rows_at) * S_STRIDE + part) / 4u, (S_SIZE - KEYS_EACH) / 4u); // as in put_k
        let key_at = tile + i32(part);
        var x: array<f32, KEYS_EACH>;
        var top = NONE;
        if all {
            //! unroll
            for (var c = 0u; c < KEYS_EACH; c++) {
                x[c] = SCALE * LOG2E * floats[subgroup][at + c];
                if SOFTCAP > 0.0 || ALIBI {
                    x[c] = LOG2E * (capped(SCALE * floats[subgroup][at + c]) + alibi(slope, position, key_at + i32(c)));
                }
                top = max(top, x[c]);
            }
        } else {
            //! unroll
            for (var c = 0u; c < KEYS_EACH; c++) {
                let key = key_at + i32(c);
                x[c] = NONE;
                if flat < item.rows && key < keys.highest && in_sight(position, key) && mask_sees(item.mask, head, query, u32(key)) {
                    let score = capped(SCALE * floats[subgroup][at + c]) + alibi(slope, position, key);
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
        let to = 8u * min(((r - rows_at) * P_STRIDE + part) / 8u, (P_SIZE - KEYS_EACH) / 8u);
        let zero = max(reference, LEAST); // so that hidden keys weigh nothing where a row has seen none yet
        var total = 0.0;
        //! unroll
        for (var c = 0u; c < KEYS_EACH; c++) {
            var p = half(exp2(min(x[c] - zero, SLACK)));
            total += f32(p);
            if DROP_BELOW > 0u {
                p = half(min(f32(p) * dropout_factor(item.row, head, query, u32(key_at) + c), 65504.0));
            }
            weights[subgroup][to + c] = p;
        }
        (*state).tile_sum[e] = total;
    }
    return passed;
}

fn scale_piece(subgroup: u32, lane: u32) {
    for (var i = lane % SUBGROUP; i < ROWS * BK; i += SUBGROUP) {
        floats[subgroup][i / BK * S_STRIDE + i % BK] *= row_scale[subgroup * ROWS + i / BK];
    }
}

// store_piece writes the rows of a piece of O, times row_scale, to the output.
fn store_piece(piece: u32, subgroup: u32, lane: u32, item: Item) {
    for (var i = lane % SUBGROUP; i < ROWS * BK; i += SUBGROUP) {
        let r = subgroup * ROWS + i / BK;
        let flat = item.first + r;
        let e = piece * BK + i % BK;
        if flat < item.rows && e < HEAD_DIM {
            out[(item.token + query_of(flat)) * OUT_STRIDE + head_of(item, flat) * HEAD_DIM + e] = floats[subgroup][i / BK * S_STRIDE + i % BK] * row_scale[r];
        }
    }
}

// load_q takes a piece of Q, through weights.
fn load_q(item: Item, piece: u32, subgroup: u32, lane: u32) {
    for (var i = lane % SUBGROUP; i < ROWS * BK / 4u; i += SUBGROUP) {
        let r = i / (BK / 4u);
        let c = i % (BK / 4u);
        let x = half4(q_row(item, item.first + subgroup * ROWS + r, piece * (BK / 4u) + c));
        let at = 4u * min(r * (P_STRIDE / 4u) + c, P_SIZE / 4u - 1u);
        weights[subgroup][at] = x.x;
        weights[subgroup][at + 1u] = x.y;
        weights[subgroup][at + 2u] = x.z;
        weights[subgroup][at + 3u] = x.w;
    }
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
    //! unroll
    for (var piece = 0u; piece < PIECES; piece++) {
        load_q(item, piece, subgroup, lane);
        workgroupBarrier();
        //! unroll
        for (var f = 0u; f < FRAGMENTS; f++) {
            //! unroll
            for (var n = 0u; n < KEY_PARTS; n++) {
                if piece * KEY_PARTS + n < DEPTH { // no place is past the end even where it is not
                    q_parts[min(f * DEPTH + piece * KEY_PARTS + n, PARTS - 1u)] = weights_at(subgroup, 16u * (f * P_STRIDE + n));
                }
            }
        }
        workgroupBarrier();
    }

    var o: array<Result, PARTS>;
    var state: Softmax;
    //! unroll
    for (var e = 0u; e < ROWS_EACH; e++) {
        state.reference[e] = NONE;
        state.highest[e] = NONE;
    }
    var tile = next_tile(item, keys, keys.begin);
    put_k(fetch_k(item, keys, tile, lane), lane);
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
                let columns = keys_at(16u * (n * KV_STRIDE + d));
                //! unroll
                for (var f = 0u; f < FRAGMENTS; f++) { scores[f] = multiply_add(q_parts[f * DEPTH + d], columns, scores[f]); }
            }
            //! unroll
            for (var f = 0u; f < FRAGMENTS; f++) { keep_result(subgroup, 16u * (f * S_STRIDE + n), scores[f]); }
        }
        workgroupBarrier();

        // The weights P, while the next K is under way.
        put_v(v, lane);
        let k = fetch_k(item, keys, next, lane);
        let passed = any_lane(weigh(item, keys, &state, tile, subgroup, lane, false), lane);
        if lane % SUBGROUP == 0u {
            moved[subgroup] = u32(passed);
        }
        put_k(k, lane);
        var marks = workgroupUniformLoad(&moved);
        var follow = false;
        for (var i = 0u; i < SUBGROUPS; i++) { follow = follow || marks[i] != 0u; }
        if follow {
            weigh(item, keys, &state, tile, subgroup, lane, true);
            workgroupBarrier();
            //! unroll
            for (var piece = 0u; piece < PIECES; piece++) {
                //! unroll
                for (var f = 0u; f < FRAGMENTS; f++) {
                    //! unroll
                    for (var n = 0u; n < KEY_PARTS; n++) {
                        if piece * KEY_PARTS + n < DEPTH {
                            keep_result(subgroup, 16u * (f * S_STRIDE + n), o[min(f * DEPTH + piece * KEY_PARTS + n, PARTS - 1u)]);
                        }
                    }
                }
                workgroupBarrier();
                scale_piece(subgroup, lane);
                workgroupBarrier();
                //! unroll
                for (var f = 0u; f < FRAGMENTS; f++) {
                    //! unroll
                    for (var n = 0u; n < KEY_PARTS; n++) {
                        if piece * KEY_PARTS + n < DEPTH {
                            o[min(f * DEPTH + piece * KEY_PARTS + n, PARTS - 1u)] = results_at(subgroup, 16u * (f * S_STRIDE + n));
                        }
                    }
                }
                workgroupBarrier();
            }
        }
        //! unroll
        for (var e = 0u; e < ROWS_EACH; e++) { state.sum[e] += state.tile_sum[e]; }

        // The output O += P·V.
        //! unroll
        for (var n = 0u; n < KEY_PARTS; n++) {
            var rows: array<Left, FRAGMENTS>;
            //! unroll
            for (var f = 0u; f < FRAGMENTS; f++) { rows[f] = weights_at(subgroup, 16u * (f * P_STRIDE + n)); }
            //! unroll
            for (var d = 0u; d < DEPTH; d++) {
                let values = values_at(16u * (n * KV_STRIDE + d));
                //! unroll
                for (var f = 0u; f < FRAGMENTS; f++) { o[f * DEPTH + d] = multiply_add(rows[f], values, o[f * DEPTH + d]); }
            }
        }
        tile = next;
    }

    finish_sums(item, &state, subgroup, lane);
    workgroupBarrier();
    //! unroll
    for (var piece = 0u; piece < PIECES; piece++) {
        //! unroll
        for (var f = 0u; f < FRAGMENTS; f++) {
            //! unroll
            for (var n = 0u; n < KEY_PARTS; n++) {
                if piece * KEY_PARTS + n < DEPTH {
                    keep_result(subgroup, 16u * (f * S_STRIDE + n), o[min(f * DEPTH + piece * KEY_PARTS + n, PARTS - 1u)]);
                }
            }
        }
        workgroupBarrier();
        store_piece(piece, subgroup, lane, item);
        workgroupBarrier();
    }
}
