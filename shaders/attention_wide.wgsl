// Flash attention for large GPUs (FlashAttention-2, arXiv 2307.08691, algorithm 1), laid out as a matrix product: what bounds
// it there is how many reads of workgroup memory a multiply-add takes. A workgroup of 16 × TY owns BQ = 4·RG·TY flat query
// rows of one KV head and walks keys in tiles of 64. Invocation (tx, ty) has the scores of 4·RG neighbouring rows and of
// the keys tx, tx+16, tx+32 and tx+48, and of the output the same rows and the columns tx, tx+16, … of four elements.
//
// Q and K go through workgroup memory in slabs of DEPTH elements of the head dim, transposed, four rows or keys to a vector,
// and P through the same memory once they are used; V in pieces of VK keys beside it. What comes next is read into registers
// while what is there is multiplied. Lines are of odd length, so that neighbours store to different banks.
//! include: step sight score mask dropout item key_rows fold
//! slot keys: keys_blocks keys_rows
//! slot kv: kv_f32 kv_f32x4 kv_f16 kv_f16x4 kv_bf16 kv_bf16x4 kv_q8 kv_q8x4
//! slot q: q_f32 q_f32x4 q_f16 q_bf16
//! slot rows: wide_rows_workgroup wide_rows_subgroup
//! slot lse: lse_none lse_keep
//! slot finish: attention_whole attention_shared
//! slot walk: walk_whole walk_parts
//! const TY: u32          invocations along the query rows
//! const RG: u32          vec4s of query rows that an invocation owns
//! const DEPTH: u32       elements of the head dim in a slab of Q and K
//! const VK: u32          keys in a piece of V
//! const RC: u32          columns of the output that an invocation owns
//! const ITEM_TILES: u32  tiles of an item
//! const KV_HEADS: u32    KV heads
//! const STAGE: u32       vec4s of the memory that Q, K and P share
//! const MASK: u32        kind of mask: 0 none, 1 boolean, 2 additive
//! const WINDOW: u32      a query sees keys less than so far away; 0: all
//! const SOFTCAP: f32     bound of scores; 0: none
//! const ALIBI: bool      scores fall with distance
//! const ITEMS_WORD: u32  the step's word with the number of items
//! const SCALE: f32       of q·k
//! const DROP_BELOW: u32  a draw below it drops a weight; 0: no dropout
//! most TILES: u32        tiles that a launch walks

@group(0) @binding(1) var<storage, read> q: array<QUnit>;
@group(0) @binding(2) var<storage, read> k_cache: array<KvUnit>;
@group(0) @binding(3) var<storage, read> v_cache: array<KvUnit>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

const WORKGROUP: u32 = 16u * TY;
const QUADS: u32 = TY * RG;             // of query rows
const BQ: u32 = 4u * QUADS;
const BK: u32 = 64u;
const PARTS: u32 = DEPTH / 4u;          // columns of a slab
const SLABS: u32 = (COLUMNS + PARTS - 1u) / PARTS;
const PIECES: u32 = BK / VK;
const LINE: u32 = QUADS + 1u;           // from an element of Q, or a key's weights, to the next
const K_LINE: u32 = 17u;
const K_AT: u32 = DEPTH * LINE;         // of a slab of K in stage
const VALUES: u32 = VK * COLUMNS;
const Q_READS: u32 = (QUADS * PARTS + WORKGROUP - 1u) / WORKGROUP; // squares of four rows by four elements
const K_READS: u32 = (16u * PARTS + WORKGROUP - 1u) / WORKGROUP;
const V_READS: u32 = (VALUES + WORKGROUP - 1u) / WORKGROUP;
const OUTS: u32 = 4u * RG * RC;
const CAUSAL_ONLY: bool = MASK == 0u && WINDOW == 0u && SOFTCAP == 0.0 && !ALIBI;

var<workgroup> stage: array<vec4<f32>, STAGE>;
var<workgroup> values: array<vec4<f32>, VALUES>;

// Slab and Piece are an invocation's share of what comes next.
struct Slab { q: array<mat4x4<f32>, Q_READS>, k: array<mat4x4<f32>, K_READS> }
alias Piece = array<vec4<f32>, V_READS>;

fn read_slab(item: Item, keys: Keys, tile: i32, slab: u32, lane: u32) -> Slab {
    var x: Slab;
    let c = slab * PARTS + lane % PARTS;
    for (var n = 0u; n < Q_READS; n++) {
        let flat = item.first + 4u * (lane / PARTS + n * (WORKGROUP / PARTS));
        x.q[n] = mat4x4<f32>(q_row(item, flat, c), q_row(item, flat + 1u, c), q_row(item, flat + 2u, c), q_row(item, flat + 3u, c));
    }
    for (var n = 0u; n < K_READS; n++) {
        let quad = lane / PARTS + n * (WORKGROUP / PARTS);
        if quad < 16u {
            let key = tile + i32(quad);
            x.k[n] = mat4x4<f32>(k_loaded(item, keys, key, c), k_loaded(item, keys, key + 16, c), k_loaded(item, keys, key + 32, c),
                k_loaded(item, keys, key + 48, c));
        }
    }
    return x;
}

fn put_slab(slab: Slab, lane: u32) {
    var x = slab;
    let part = lane % PARTS;
    for (var n = 0u; n < Q_READS; n++) {
        let quad = lane / PARTS + n * (WORKGROUP / PARTS);
        if quad < QUADS {
            var y = transpose(x.q[n]);
            for (var i = 0u; i < 4u; i++) { stage[(i * PARTS + part) * LINE + quad] = y[i]; }
        }
    }
    for (var n = 0u; n < K_READS; n++) {
        let quad = lane / PARTS + n * (WORKGROUP / PARTS);
        if quad < 16u {
            var y = transpose(x.k[n]);
            for (var i = 0u; i < 4u; i++) { stage[K_AT + (i * PARTS + part) * K_LINE + quad] = y[i]; }
        }
    }
}

fn read_piece(item: Item, keys: Keys, tile: i32, piece: u32, lane: u32) -> Piece {
    var x: Piece;
    for (var n = 0u; n < V_READS; n++) {
        let i = lane + n * WORKGROUP;
        x[n] = v_loaded(item, keys, tile + i32(piece * VK + i / COLUMNS), i % COLUMNS);
    }
    return x;
}

fn put_piece(piece: Piece, lane: u32) {
    var x = piece;
    for (var n = 0u; n < V_READS; n++) {
        let i = lane + n * WORKGROUP;
        if i < VALUES {
            values[i] = x[n];
        }
    }
}

// finish_rows writes the invocation's rows, or what a merge is to make of them.
fn finish_rows(item: Item, tx: u32, ty: u32, done: ptr<function, array<vec4<f32>, OUTS>>, total: ptr<function, array<vec4<f32>, RG>>,
    top: ptr<function, array<vec4<f32>, RG>>) {
    let first_row = item.first + ty * (4u * RG);
    for (var r = 0u; r < 4u * RG; r++) {
        let flat = first_row + r;
        if flat >= item.rows {
            break;
        }
        let partial = partial_at(item, flat);
        let l = (*total)[r / 4u][r % 4u];
        for (var c = 0u; c < RC; c++) {
            let column = tx + c * 16u;
            let x = (*done)[4u * ((r / 4u) * RC + c) + r % 4u];
            if column < COLUMNS {
                if keeps_partial(item.flags) {
                    partial_column(partial, column, x);
                } else {
                    finish(item, flat, column, x, l);
                }
            }
        }
        if tx == 0u {
            if keeps_partial(item.flags) {
                partial_column(partial, COLUMNS, vec4<f32>((*top)[r / 4u][r % 4u], l, 0.0, 0.0));
            } else {
                finish_lse(item, flat, (*top)[r / 4u][r % 4u], l);
            }
        }
    }
}

@compute @workgroup_size(16, TY, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let index = group.z * FOLD + group.y;
    if index >= step[ITEMS_WORD] {
        return;
    }
    let tx = local.x;
    let ty = local.y;
    let lane = ty * 16u + tx;
    var item = item_at(index, group.x % KV_HEADS);
    let part = group.x / KV_HEADS;
    item.first += part * BQ;
    if item.first >= item.rows {
        return;
    }
    var keys = keys_seen(item);
    if walk_done(keys) {
        return;
    }
    keys.end = walk_end(keys);
    let first_row = item.first + ty * (4u * RG);

    var maximum: array<vec4<f32>, RG>;
    for (var g = 0u; g < RG; g++) { maximum[g] = vec4<f32>(NONE); }
    var sum: array<vec4<f32>, RG>;
    var sums: array<vec4<f32>, OUTS>; // the output: [RG][RC][row]

    walk_take(item, index * ITEM_TILES + part, lane, &maximum, &sum, &sums);

    var tile = next_tile(item, keys, walk_begin(keys));
    var slab: Slab;
    var piece: Piece;
    if tile < keys.end {
        slab = read_slab(item, keys, tile, 0u, lane);
        piece = read_piece(item, keys, tile, 0u, lane);
    }
    //! turns: TILES
    while tile < keys.end {
        let next = next_tile(item, keys, tile + i32(BK));
        put_piece(piece, lane);
        // The scores S = Q·K.
        var s = array<array<vec4<f32>, 4>, RG>(); // [RG][key], of four rows
        for (var n = 0u; n < SLABS; n++) {
            put_slab(slab, lane);
            workgroupBarrier();
            if n + 1u < SLABS {
                slab = read_slab(item, keys, tile, n + 1u, lane);
            } else if PIECES > 1u {
                piece = read_piece(item, keys, tile, 1u, lane);
            }
            for (var d = 0u; d < DEPTH; d++) {
                let line = d % 4u * PARTS + d / 4u; // summed in the head dim's order, as the backward pass does
                let k = stage[K_AT + line * K_LINE + tx];
                for (var g = 0u; g < RG; g++) {
                    let x = stage[line * LINE + ty * RG + g];
                    s[g][0] = fma(x, vec4<f32>(k.x), s[g][0]);
                    s[g][1] = fma(x, vec4<f32>(k.y), s[g][1]);
                    s[g][2] = fma(x, vec4<f32>(k.z), s[g][2]);
                    s[g][3] = fma(x, vec4<f32>(k.w), s[g][3]);
                }
            }
            workgroupBarrier();
        }

        // What hides and bends them, and the rows' maxima.
        let plain = CAUSAL_ONLY && all_seen(item, keys, tile);
        var now = maximum;
        for (var g = 0u; g < RG; g++) {
            let flat = first_row + 4u * g;
            let limit = last_seen(item, flat);
            for (var j = 0u; j < 4u; j++) {
                let key = tile + i32(tx + 16u * j);
                var x = s[g][j] * SCALE;
                if CAUSAL_ONLY {
                    if !plain {
                        x = select(vec4<f32>(NONE), x, vec4<i32>(key) <= limit);
                    }
                } else {
                    var y = x;
                    for (var r = 0u; r < 4u; r++) { y[r] = shown(item, flat + r, key, x[r]); }
                    x = y;
                }
                s[g][j] = x;
                now[g] = max(now[g], x);
            }
        }
        rows_max(&now, tx, ty);

        // The weights P, and the state so far in terms of the new maxima.
        for (var g = 0u; g < RG; g++) {
            let scale = rescale(maximum[g], now[g]);
            maximum[g] = now[g];
            var total = sum[g] * scale;
            for (var j = 0u; j < 4u; j++) {
                var p = weight(s[g][j], now[g]);
                total += p;
                if DROP_BELOW > 0u {
                    let key = tile + i32(tx + 16u * j);
                    var factors: vec4<f32>;
                    for (var r = 0u; r < 4u; r++) { factors[r] = kept(item, first_row + 4u * g + r, key); }
                    p *= factors;
                }
                stage[(tx + 16u * j) * LINE + ty * RG + g] = p;
            }
            sum[g] = total;
            for (var c = 0u; c < RC; c++) {
                let o = 4u * (g * RC + c);
                sums[o] *= scale.x;
                sums[o + 1u] *= scale.y;
                sums[o + 2u] *= scale.z;
                sums[o + 3u] *= scale.w;
            }
        }
        workgroupBarrier();

        // The output O += P·V.
        for (var n = 0u; n < PIECES; n++) {
            if n > 0u {
                put_piece(piece, lane);
                workgroupBarrier();
                if n + 1u < PIECES {
                    piece = read_piece(item, keys, tile, n + 1u, lane);
                }
            }
            if n + 1u == PIECES && next < keys.end {
                slab = read_slab(item, keys, next, 0u, lane);
                piece = read_piece(item, keys, next, 0u, lane);
            }
            for (var v = 0u; v < VK; v++) {
                var p: array<vec4<f32>, RG>;
                for (var g = 0u; g < RG; g++) { p[g] = stage[(n * VK + v) * LINE + ty * RG + g]; }
                for (var c = 0u; c < RC; c++) {
                    let x = values[v * COLUMNS + min(tx + c * 16u, COLUMNS - 1u)];
                    for (var g = 0u; g < RG; g++) {
                        let o = 4u * (g * RC + c);
                        sums[o] = fma(vec4<f32>(p[g].x), x, sums[o]);
                        sums[o + 1u] = fma(vec4<f32>(p[g].y), x, sums[o + 1u]);
                        sums[o + 2u] = fma(vec4<f32>(p[g].z), x, sums[o + 2u]);
                        sums[o + 3u] = fma(vec4<f32>(p[g].w), x, sums[o + 3u]);
                    }
                }
            }
            workgroupBarrier();
        }
        tile = next;
    }
    if walk_waits(keys) {
        walk_keep(item, index * ITEM_TILES + part, lane, &maximum, &sum, &sums);
        return;
    }
    rows_sum(&sum, tx, ty);

    // Copies, indexed by what no compiler may unroll, leave what is above in registers.
    var done = sums;
    var total = sum;
    var top = maximum;
    finish_rows(item, tx, ty, &done, &total, &top);
}
