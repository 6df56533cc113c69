// The gradients of flash attention, S and P recomputed tile by tile (FlashAttention-2, arXiv 2307.08691, algorithm 2). There
// are no atomic sums: one dispatch owns dK and dV by key tile, another dQ by query tile, each in a fixed order. A workgroup
// owns BO rows, the keys or queries of its item, and walks the other kind in tiles of BW:
//
//   S and dP [BW][BO] from slabs of columns, walked and owned rows side by side in workgroup memory;
//   P and dS, exchanged through workgroup memory;
//   owned gradients += (P or dS)ᵀ · walked rows, these in slabs of rows.
//
// Invocation (tx, ty) has the own rows 4·(tx + j·TX) to +3 and the walked rows 4·(ty + i·TY) to +3 of S; of the gradients it
// has the own rows 4·(to + j·TO) to +3 and the columns tc + l·TC.
//! include: step sight score mask dropout fold none
//! slot kv: kv_f32 kv_f32x4 kv_f16 kv_f16x4 kv_bf16 kv_bf16x4
//! slot keys: keys_rows
//! slot q: q_f32 q_f32x4 q_f16 q_bf16
//! slot gradient: gradient_f32 gradient_f32x4
//! slot span: span_whole span_parts
//! slot side: backward_keys backward_queries
//! const TX: u32            invocations along the own rows
//! const TY: u32            invocations along the walked rows
//! const OWN_QUADS: u32     quads of own rows an invocation has, of S
//! const WALK_QUADS: u32    quads of walked rows an invocation has, of S
//! const SLABS: u32         slabs of columns
//! const SLAB: u32          columns of a slab
//! const SLAB_STRIDE: u32   columns from one row of a slab to the next
//! const SWIZZLE: u32       bits of lines by which columns are exchanged; 0: none
//! const STAGE: u32         vec4s of workgroup memory for rows
//! const WEIGHTS: u32       vec4s of it for P or dS
//! const TC: u32            invocations along the columns of the gradients
//! const TO: u32            invocations along their own quads
//! const COLUMNS_EACH: u32  columns of them that an invocation has
//! const QUADS_EACH: u32    own quads of them that an invocation has
//! const DEPTH: u32         walked rows that are staged at a time, for the gradients
//! const STATES: u32        states of query rows that an invocation has
//! const AHEAD: bool        registers hold columns that are read before they are needed
//! const OWN_READS: u32     of READS, those of own rows
//! const READS: u32         columns of S and dP read ahead
//! const ROW_READS: u32     columns of the gradients read ahead
//! const TILES: u32         tiles that a launch walks
//! const HEAD_DIM: u32      elements of a head
//! const KV_HEADS: u32      KV heads
//! const SCALE: f32         of q·k
//! const HEADS: u32         query heads
//! const CAUSAL: bool       a query sees no key behind its own position
//! const WINDOW: u32        a query sees keys less than so far away; 0: all
//! const SINKS: u32         first keys that stay in sight under a window
//! const MASK: u32          kind of mask: 0 none, 1 boolean, 2 additive
//! const ITEMS_WORD: u32    the step's word with the number of items
//! const HEADS_PER_KV: u32  query heads that share a KV head

@group(0) @binding(1) var<storage, read> q: array<QUnit>;
@group(0) @binding(2) var<storage, read> k_cache: array<KvUnit>;
@group(0) @binding(3) var<storage, read> v_cache: array<KvUnit>;
@group(0) @binding(4) var<storage, read> d_out: array<GradientUnit>;
@group(0) @binding(5) var<storage, read> states: array<vec2<f32>>; // LSE and rowsum(dO ∘ O)

const COLUMNS: u32 = (HEAD_DIM + 3u) / 4u;    // columns of four elements
const WORKGROUP: u32 = TX * TY;
const BO: u32 = 4u * TX * OWN_QUADS;
const BW: u32 = 4u * TY * WALK_QUADS;
const OWN_EACH: u32 = 4u * OWN_QUADS;
const WALK_EACH: u32 = 4u * WALK_QUADS;
const SCORES: u32 = WALK_EACH * OWN_QUADS;    // vec4s of scores an invocation has: [walked row][own quad]
const WALK_AT: u32 = BO * SLAB_STRIDE;        // the walked rows' place in stage
const WIDTH: u32 = TC * COLUMNS_EACH;         // columns of a staged row of a gradient's factor
const SUMS: u32 = 4u * QUADS_EACH * COLUMNS_EACH; // [own quad][row of it][column]

var<workgroup> stage: array<vec4<f32>, STAGE>;
var<workgroup> weights: array<vec4<f32>, WEIGHTS>; // [BW][BO / 4]

// Launch is what an item is about.
struct Launch {
    row: u32,
    own_first: u32,
    queries: u32,
    keys: u32,
    start: i32,
    first_token: u32,
    first_key: u32, // cache row of the sequence's first key
    mask: u32,
}

fn position_of(it: Launch, query: u32) -> i32 { return it.start + i32(query); }

// query_rows and key_rows give a column of Q and K (gradient false) or of dO and V (true); rows that are not there are 0.
// What is read is there always, so that no read waits for a branch.
fn query_rows(it: Launch, gradient: bool, head: u32, query: u32, c: u32) -> vec4<f32> {
    let token = it.first_token + min(query, it.queries - 1u);
    let column = min(c, COLUMNS - 1u);
    var x: vec4<f32>;
    if gradient {
        x = gradient_column(gradient_row(token, head), column);
    } else {
        x = q_column(token, head, column);
    }
    return select(vec4<f32>(0.0), x, query < it.queries && c < COLUMNS);
}

fn key_rows(it: Launch, gradient: bool, key: u32, c: u32) -> vec4<f32> {
    let at = kv_place(it.first_key + min(key, it.keys - 1u) * KV_HEADS, 0u);
    let column = min(c, COLUMNS - 1u);
    var x: vec4<f32>;
    if gradient {
        x = v_column(at, column);
    } else {
        x = k_column(at, column);
    }
    return select(vec4<f32>(0.0), x, key < it.keys && c < COLUMNS);
}

fn own_rows(it: Launch, gradient: bool, head: u32, r: u32, c: u32) -> vec4<f32> {
    if OWN_KEYS {
        return key_rows(it, gradient, it.own_first + r, c);
    }
    return query_rows(it, gradient, head, it.own_first + r, c);
}

fn walked_rows(it: Launch, gradient: bool, head: u32, r: u32, c: u32) -> vec4<f32> {
    if OWN_KEYS {
        return query_rows(it, gradient, head, r, c);
    }
    return key_rows(it, gradient, r, c);
}

// line_of is the place of row r of a tile of so many rows: the first rows of all quads, then the second ones …
fn line_of(r: u32, rows: u32) -> u32 { return (r % 4u) * (rows / 4u) + r / 4u; }

// staged_at is the place of a column of a line: neighbouring lines lie in different banks, by an odd stride or by SWIZZLE.
fn staged_at(line: u32, c: u32) -> u32 { return line * SLAB_STRIDE + (c ^ (line & SWIZZLE)); }

fn chain(a: vec4<f32>, b: vec4<f32>, sum: f32) -> f32 {
    return fma(a.w, b.w, fma(a.z, b.z, fma(a.y, b.y, fma(a.x, b.x, sum))));
}

// read_slab reads the invocation's part of a slab of columns ahead, where registers are to hold it.
fn read_slab(it: Launch, gradient: bool, head: u32, walked: u32, slab: u32, lane: u32, held: ptr<function, array<vec4<f32>, READS>>) {
    if !AHEAD {
        return;
    }
    for (var n = 0u; n < OWN_READS; n++) {
        let i = lane + n * WORKGROUP;
        (*held)[n] = own_rows(it, gradient, head, i / SLAB, slab * SLAB + i % SLAB);
    }
    for (var n = OWN_READS; n < READS; n++) {
        let i = lane + (n - OWN_READS) * WORKGROUP;
        (*held)[n] = walked_rows(it, gradient, head, walked + i / SLAB, slab * SLAB + i % SLAB);
    }
}

// put_slab lays out what read_slab read, or reads it itself.
fn put_slab(it: Launch, gradient: bool, head: u32, walked: u32, slab: u32, lane: u32, held: ptr<function, array<vec4<f32>, READS>>) {
    if AHEAD {
        for (var n = 0u; n < OWN_READS; n++) {
            let i = lane + n * WORKGROUP;
            if i < BO * SLAB {
                stage[staged_at(line_of(i / SLAB, BO), i % SLAB)] = (*held)[n];
            }
        }
        for (var n = OWN_READS; n < READS; n++) {
            let i = lane + (n - OWN_READS) * WORKGROUP;
            if i < BW * SLAB {
                stage[WALK_AT + staged_at(line_of(i / SLAB, BW), i % SLAB)] = (*held)[n];
            }
        }
        return;
    }
    for (var i = lane; i < BO * SLAB; i += WORKGROUP) {
        stage[staged_at(line_of(i / SLAB, BO), i % SLAB)] = own_rows(it, gradient, head, i / SLAB, slab * SLAB + i % SLAB);
    }
    for (var i = lane; i < BW * SLAB; i += WORKGROUP) {
        stage[WALK_AT + staged_at(line_of(i / SLAB, BW), i % SLAB)] =
            walked_rows(it, gradient, head, walked + i / SLAB, slab * SLAB + i % SLAB);
    }
}

// products sets s to the invocation's share of the product of walked and own rows: Q and K, or dO and V. It leaves stage
// free. With AHEAD a slab is read while the one before is multiplied.
fn products(it: Launch, gradient: bool, head: u32, walked: u32, tx: u32, ty: u32, s: ptr<function, array<vec4<f32>, SCORES>>) {
    let lane = ty * TX + tx;
    for (var i = 0u; i < SCORES; i++) { (*s)[i] = vec4<f32>(0.0); }
    var held: array<vec4<f32>, READS>;
    for (var next = 0u; next <= SLABS; next++) {
        if next > 0u {
            put_slab(it, gradient, head, walked, next - 1u, lane, &held);
            workgroupBarrier();
        }
        if next < SLABS {
            read_slab(it, gradient, head, walked, next, lane, &held);
        }
        if next == 0u {
            continue;
        }
        // Lines of one invocation differ by what SWIZZLE does not see.
        for (var c = 0u; c < SLAB; c++) {
            let own_at = staged_at(tx, c);
            let walk_at = WALK_AT + staged_at(ty, c);
            var own: array<vec4<f32>, OWN_EACH>;
            for (var j = 0u; j < OWN_QUADS; j++) {
                for (var e = 0u; e < 4u; e++) { own[4u * j + e] = stage[own_at + (e * (BO / 4u) + j * TX) * SLAB_STRIDE]; }
            }
            for (var i = 0u; i < WALK_EACH; i++) {
                let w = stage[walk_at + ((i % 4u) * (BW / 4u) + (i / 4u) * TY) * SLAB_STRIDE];
                for (var j = 0u; j < OWN_QUADS; j++) {
                    let x = (*s)[i * OWN_QUADS + j];
                    (*s)[i * OWN_QUADS + j] = vec4<f32>(chain(w, own[4u * j], x.x), chain(w, own[4u * j + 1u], x.y),
                        chain(w, own[4u * j + 2u], x.z), chain(w, own[4u * j + 3u], x.w));
                }
            }
        }
        workgroupBarrier();
    }
}

// accumulate adds the products of weights and the walked rows (Q or dO, or K) to the invocation's sums.
fn accumulate(it: Launch, gradient: bool, head: u32, walked: u32, lane: u32, sums: ptr<function, array<vec4<f32>, SUMS>>) {
    let tc = lane % TC;
    let to = lane / TC % TO;
    for (var first = 0u; first < BW; first += DEPTH) {
        if AHEAD {
            var held: array<vec4<f32>, ROW_READS>; // all under way at once
            for (var n = 0u; n < ROW_READS; n++) {
                let i = lane + n * WORKGROUP;
                held[n] = walked_rows(it, gradient, head, walked + first + i / WIDTH, i % WIDTH);
            }
            for (var n = 0u; n < ROW_READS; n++) {
                let i = lane + n * WORKGROUP;
                if i < DEPTH * WIDTH {
                    stage[i] = held[n];
                }
            }
        } else {
            for (var i = lane; i < DEPTH * WIDTH; i += WORKGROUP) {
                stage[i] = walked_rows(it, gradient, head, walked + first + i / WIDTH, i % WIDTH);
            }
        }
        workgroupBarrier();
        for (var r = 0u; r < DEPTH; r++) {
            var x: array<vec4<f32>, COLUMNS_EACH>;
            for (var l = 0u; l < COLUMNS_EACH; l++) { x[l] = stage[r * WIDTH + tc + l * TC]; }
            for (var j = 0u; j < QUADS_EACH; j++) {
                let w = weights[(first + r) * (BO / 4u) + to + j * TO];
                for (var l = 0u; l < COLUMNS_EACH; l++) {
                    let s = 4u * j * COLUMNS_EACH + l;
                    (*sums)[s] = fma(vec4<f32>(w.x), x[l], (*sums)[s]);
                    (*sums)[s + COLUMNS_EACH] = fma(vec4<f32>(w.y), x[l], (*sums)[s + COLUMNS_EACH]);
                    (*sums)[s + 2u * COLUMNS_EACH] = fma(vec4<f32>(w.z), x[l], (*sums)[s + 2u * COLUMNS_EACH]);
                    (*sums)[s + 3u * COLUMNS_EACH] = fma(vec4<f32>(w.w), x[l], (*sums)[s + 3u * COLUMNS_EACH]);
                }
            }
        }
        workgroupBarrier();
    }
}

// put_weights lays the invocation's P or dS out for accumulate.
fn put_weights(w: ptr<function, array<vec4<f32>, SCORES>>, tx: u32, ty: u32) {
    for (var i = 0u; i < WALK_EACH; i++) {
        for (var j = 0u; j < OWN_QUADS; j++) {
            weights[(4u * (ty + (i / 4u) * TY) + i % 4u) * (BO / 4u) + tx + j * TX] = (*w)[i * OWN_QUADS + j];
        }
    }
}

// drops gives the dropout factors of four queries (columns) and four keys (rows).
fn drops(it: Launch, head: u32, query: u32, key: u32) -> mat4x4<f32> {
    return mat4x4<f32>(dropout_factors(it.row, head, query, key / 4u), dropout_factors(it.row, head, query + 1u, key / 4u),
        dropout_factors(it.row, head, query + 2u, key / 4u), dropout_factors(it.row, head, query + 3u, key / 4u));
}

// weigh gives P after dropout and dS of one score.
fn weigh(it: Launch, head: u32, slope: f32, query: u32, key: u32, s: f32, dp: f32, drop: f32, state: vec2<f32>) -> vec2<f32> {
    let position = position_of(it, query);
    if query >= it.queries || key >= it.keys || state.x <= NONE || !in_sight(position, i32(key))
        || !mask_sees(it.mask, head, query, key) {
        return vec2<f32>(0.0);
    }
    let c = capped(s * SCALE);
    let score = c + alibi(slope, position, i32(key)) + mask_adds(it.mask, head, query, key);
    let p = exp(min(score - state.x, 0.0));
    return vec2<f32>(p * drop, p * (dp * drop - state.y) * capped_slope(c));
}

fn state_of(it: Launch, head: u32, query: u32) -> vec2<f32> {
    if query >= it.queries {
        return vec2<f32>(0.0);
    }
    return states[(it.first_token + query) * HEADS + head];
}

// walk_range gives the walked rows that some own row may see, [x, y), and where a gap in them that begins at SINKS ends.
fn walk_range(it: Launch) -> vec3<i32> {
    let own_end = i32(min(it.own_first + BO, select(it.queries, it.keys, OWN_KEYS)));
    let first = i32(it.own_first);
    if OWN_KEYS {
        var range = vec2<i32>(0, i32(it.queries));
        if CAUSAL {
            range.x = max(range.x, first - it.start);
        }
        if WINDOW > 0u && it.own_first >= SINKS {
            range.x = max(range.x, first - i32(WINDOW) + 1 - it.start);
            range.y = min(range.y, own_end + i32(WINDOW) - 1 - it.start);
        }
        return vec3<i32>(range, 0);
    }
    var end = i32(it.keys);
    if CAUSAL {
        end = min(end, it.start + own_end);
    }
    if WINDOW == 0u {
        return vec3<i32>(0, end, 0);
    }
    let sinks = min(end, i32(SINKS));
    end = max(sinks, min(end, it.start + own_end - 1 + i32(WINDOW)));
    return vec3<i32>(0, end, max(0, it.start + first - i32(WINDOW) + 1));
}

// next_tile passes over the gap between the sinks and the window.
fn next_tile(walked: u32, gap_end: u32) -> u32 {
    if OWN_KEYS || WINDOW == 0u || walked < SINKS {
        return walked;
    }
    return max(walked, gap_end - gap_end % BW);
}

// hidden tells whether a mask hides all of a tile.
fn hidden(it: Launch, head: u32, walked: u32) -> bool {
    if MASK == 0u || it.mask == 0u {
        return false;
    }
    let query = select(it.own_first, walked, OWN_KEYS);
    let key = select(walked, it.own_first, OWN_KEYS);
    let query_end = min(it.queries, query + select(BO, BW, OWN_KEYS));
    let key_end = min(it.keys, key + select(BW, BO, OWN_KEYS));
    //! turns: max(BO, BW) / MASK_BLOCK + 1u
    for (var a = query - query % MASK_BLOCK; a < query_end; a += MASK_BLOCK) {
        //! turns: max(BO, BW) / MASK_BLOCK + 1u
        for (var b = key - key % MASK_BLOCK; b < key_end; b += MASK_BLOCK) {
            if mask_entry(it.mask, head, a, b) != MASK_HIDDEN {
                return false;
            }
        }
    }
    return true;
}

// launch_at reads an item.
fn launch_at(index: u32, kv_head: u32) -> Launch {
    let item = step[ITEMS_WORD + 1u] + index * ITEM_WORDS;
    var it: Launch;
    it.row = step[item];
    it.own_first = step[item + 1u];
    it.queries = row_count(it.row);
    it.start = bitcast<i32>(row_start(it.row));
    it.keys = u32(max(0, it.start + i32(it.queries)));
    it.first_token = row_first(it.row);
    it.first_key = 0u;
    if it.keys > 0u {
        it.first_key = kv_row(keys_of(it.row), kv_head, 0u);
    }
    it.mask = mask_of(it.row);
    return it;
}

// weigh_tile turns the invocation's S into P, and its dP into dS.
fn weigh_tile(it: Launch, head: u32, walked: u32, tx: u32, ty: u32, row_states: ptr<function, array<vec2<f32>, STATES>>,
    s: ptr<function, array<vec4<f32>, SCORES>>, dp: ptr<function, array<vec4<f32>, SCORES>>) {
    let slope = alibi_slope(head);
    for (var j = 0u; j < OWN_QUADS; j++) {
        let own = it.own_first + 4u * (tx + j * TX);
        for (var n = 0u; n < WALK_QUADS; n++) {
            let walk = walked + 4u * (ty + n * TY);
            var factors = drops(it, head, select(own, walk, OWN_KEYS), select(walk, own, OWN_KEYS));
            if !OWN_KEYS {
                factors = transpose(factors);
            }
            for (var i = 0u; i < 4u; i++) {
                let at = (4u * n + i) * OWN_QUADS + j;
                var p = vec4<f32>(0.0);
                var ds = vec4<f32>(0.0);
                for (var e = 0u; e < 4u; e++) {
                    let query = select(own + e, walk + i, OWN_KEYS);
                    let key = select(walk + i, own + e, OWN_KEYS);
                    let state = (*row_states)[select(4u * j + e, 4u * n + i, OWN_KEYS)];
                    let w = weigh(it, head, slope, query, key, (*s)[at][e], (*dp)[at][e], factors[i][e], state);
                    p[e] = w.x;
                    ds[e] = w.y;
                }
                (*s)[at] = p;
                (*dp)[at] = ds;
            }
        }
    }
}

// store_gradients writes the invocation's sums; head is that of the keys or of the queries that are owned.
fn store_gradients(it: Launch, head: u32, lane: u32, sums: ptr<function, array<vec4<f32>, SUMS>>, value_sums: ptr<function, array<vec4<f32>, SUMS>>) {
    let own_count = select(it.queries, it.keys, OWN_KEYS);
    for (var j = 0u; j < QUADS_EACH; j++) {
        for (var e = 0u; e < 4u; e++) {
            let own = it.own_first + 4u * (lane / TC + j * TO) + e;
            var at = ((it.first_token + own) * HEADS + head) * HEAD_DIM;
            if OWN_KEYS {
                at = (it.first_key + own * KV_HEADS) * HEAD_DIM;
            }
            for (var l = 0u; l < COLUMNS_EACH; l++) {
                for (var x = 0u; x < 4u; x++) {
                    let column = 4u * (lane % TC + l * TC) + x;
                    if own < own_count && column < HEAD_DIM {
                        let n = (4u * j + e) * COLUMNS_EACH + l;
                        store_gradient(at + column, (*sums)[n][x] * SCALE);
                        store_value_gradient(at + column, (*value_sums)[n][x]);
                    }
                }
            }
        }
    }
}

@compute @workgroup_size(TX, TY, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let index = group.z * FOLD + group.y;
    if index >= step[ITEMS_WORD] {
        return;
    }
    let tx = local.x;
    let ty = local.y;
    let lane = ty * TX + tx;
    let kv_head = select(group.x / HEADS_PER_KV, group.x, OWN_KEYS);
    let head_first = select(group.x, group.x * HEADS_PER_KV, OWN_KEYS);
    let head_end = head_first + select(1u, HEADS_PER_KV, OWN_KEYS);

    let it = launch_at(index, kv_head);
    let range = walk_range(it);
    var begin = u32(max(0, range.x));
    begin = begin - begin % BW + span_number() * TILES * BW;
    let end = min(u32(max(0, range.y)), begin + TILES * BW);
    if span_number() > 0u && begin >= end {
        return;
    }
    let gap_end = u32(range.z);

    var own_sums: array<vec4<f32>, SUMS>;
    var value_sums: array<vec4<f32>, SUMS>; // of dV; unused where queries are owned
    var row_states: array<vec2<f32>, STATES>;
    var s_sums: array<vec4<f32>, SCORES>;
    var dp_sums: array<vec4<f32>, SCORES>;
    if !OWN_KEYS {
        for (var j = 0u; j < STATES; j++) {
            row_states[j] = state_of(it, head_first, it.own_first + 4u * (tx + (j / 4u) * TX) + j % 4u);
        }
    }
    //! turns: select(1u, HEADS_PER_KV, OWN_KEYS)
    for (var head = head_first; head < head_end; head++) {
        //! turns: TILES
        for (var walked = next_tile(begin, gap_end); walked < end; walked = next_tile(walked + BW, gap_end)) {
            if hidden(it, head, walked) {
                continue;
            }
            if OWN_KEYS {
                for (var i = 0u; i < STATES; i++) {
                    row_states[i] = state_of(it, head, walked + 4u * (ty + (i / 4u) * TY) + i % 4u);
                }
            }
            products(it, false, head, walked, tx, ty, &s_sums);
            products(it, true, head, walked, tx, ty, &dp_sums);
            // Copies: where a compiler leaves a loop over them rolled, the sums above stay in registers.
            var s = s_sums;   // then P
            var dp = dp_sums; // then dS
            weigh_tile(it, head, walked, tx, ty, &row_states, &s, &dp);
            if OWN_KEYS {
                put_weights(&s, tx, ty);
                accumulate(it, true, head, walked, lane, &value_sums);
            }
            put_weights(&dp, tx, ty);
            accumulate(it, false, head, walked, lane, &own_sums);
        }
    }

    if lane >= TC * TO {
        return;
    }
    var done = own_sums; // copies, as above
    var value_done = value_sums;
    store_gradients(it, group.x, lane, &done, &value_done);
}
