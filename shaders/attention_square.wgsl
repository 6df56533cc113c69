// Flash attention for large GPUs (FlashAttention-2, arXiv 2307.08691, algorithm 1), laid out as a matrix product whose
// invocations own squares of 8 × 8 scores: the larger, the fewer reads of workgroup memory a multiply-add takes. A workgroup of
// TX × TY owns BQ = 4·RG·TY flat query rows of one KV head and walks keys in tiles of BK = 4·KG·TX. Invocation (tx, ty) has the
// scores of 4·RG neighbouring rows and of the keys tx, tx+TX, …, and of the output the same rows and the columns tx, tx+TX, … of
// four elements.
//
// Q and K come in slabs of DEPTH elements of the head dim, transposed, four rows or keys to a vector, V in pieces of VK keys. Each is
// read into registers while the one before it is multiplied, then goes where nobody reads, so that one barrier each is enough.
// The weights P go where the slabs were, a part of the keys after another. One workgroup has a compute unit for itself: on an
// H200 Vulkan gives all of a unit's workgroups some 50 KiB together, so that two of 25 KiB would have to do with smaller squares.
//! include: step sight score mask dropout item fold
//! slot keys: keys_blocks keys_rows
//! slot kv: kv_f32 kv_f32x4 kv_f16 kv_f16x4 kv_bf16 kv_bf16x4 kv_q8 kv_q8x4
//! slot q: q_f32 q_f32x4 q_f16 q_bf16
//! slot rows: square_rows_workgroup square_rows_subgroup
//! slot lse: lse_none lse_keep
//! slot finish: attention_whole attention_shared
//! slot walk: walk_whole walk_parts
//! const TX: u32          invocations along the keys
//! const TY: u32          invocations along the query rows
//! const RG: u32          vec4s of query rows that an invocation owns
//! const KG: u32          vec4s of keys
//! const KEYS: u32        keys that an invocation owns
//! const DEPTH: u32       elements of the head dim in a slab
//! const SPREAD: u32      vec4s behind each line of a slab, so that neighbours store to different banks
//! const STAGE: u32       vec4s of the memory that slabs and weights share
//! const SLABS: u32       of the head dim
//! const STEP: u32        elements, or keys of V, between two turns
//! const READS: u32       squares of four rows, or keys, by four elements that an invocation fetches of a slab
//! const V_READS: u32     vectors of a piece of V
//! const FETCHED: u32     vectors that an invocation fetches of a slab of K or a piece of V
//! const TURNS: u32       parts of a tile's weights that go through workgroup memory one after another
//! const TURN_KEYS: u32   keys of an invocation in a part
//! const VK: u32          keys in a piece of V
//! const RC: u32          columns of the output that an invocation owns
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

const FOUR: u32 = 4u;
const WORKGROUP: u32 = TX * TY;
const QUADS: u32 = TY * RG;                 // of query rows
const BQ: u32 = 4u * QUADS;
const KEY_QUADS: u32 = TX * KG;
const BK: u32 = 4u * KEY_QUADS;
const PARTS: u32 = DEPTH / 4u;              // columns of a slab
const PIECES: u32 = BK / TURNS / VK;        // of a part; even, as SLABS is
const Q_LINE: u32 = QUADS + SPREAD;         // from an element of Q to the next
const K_LINE: u32 = KEY_QUADS + SPREAD;
const P_LINE: u32 = QUADS + 1u;             // from a key's weights to the next
const Q_SIZE: u32 = DEPTH * Q_LINE;         // of a slab
const K_SIZE: u32 = DEPTH * K_LINE;
const Q_SQUARES: u32 = QUADS * PARTS;
const SQUARES: u32 = Q_SQUARES + KEY_QUADS * PARTS;
const HALF: u32 = Q_SIZE + K_SIZE;
const V_LINE: u32 = TX * RC;
const V_SIZE: u32 = VK * COLUMNS;           // of a piece
const V_HALF: u32 = VK * V_LINE;
const VALUES: u32 = 2u * V_HALF;
const OUTS: u32 = 4u * RG * RC;
const SCORES: u32 = 4u * RG * KG;
const CAUSAL_ONLY: bool = MASK == 0u && WINDOW == 0u && SOFTCAP == 0.0 && !ALIBI;
const FLOOR: f32 = -2.9e38;                 // above NONE, below what a key in sight scores

var<workgroup> stage: array<vec4<f32>, STAGE>; // two slabs of K and Q, or the weights P: [key][row]
var<workgroup> values: array<vec4<f32>, VALUES>;

// key_of is the i-th key of a quad.
fn key_of(quad: u32, i: u32) -> i32 { return i32(quad % TX + TX * (4u * (quad / TX) + i)); }

// whole tells whether some row may see each key of a tile; where not, those out of sight become 0.
fn whole(keys: Keys, tile: i32) -> bool { return tile >= keys.lowest && tile + i32(BK) <= keys.highest; }

fn clipped(keys: Keys, key: i32) -> u32 { return u32(min(key, keys.highest - 1)); }

// fetch_slab reads an invocation's squares of a slab, those of Q before those of K; put_slab stores them, what is out of sight as 0.
fn fetch_slab(x: ptr<function, array<vec4<f32>, FETCHED>>, item: Item, keys: Keys, tile: i32, slab: u32, lane: u32) {
    //! unroll
    for (var n = 0u; n < READS; n++) {
        let i = lane + n * WORKGROUP;
        let c = slab * PARTS + i % PARTS;
        if i < Q_SQUARES {
            let flat = item.first + 4u * (i / PARTS);
            (*x)[4u * n] = q_row(item, flat, c);
            (*x)[4u * n + 1u] = q_row(item, flat + 1u, c);
            (*x)[4u * n + 2u] = q_row(item, flat + 2u, c);
            (*x)[4u * n + 3u] = q_row(item, flat + 3u, c);
        } else if SQUARES % WORKGROUP == 0u || i < SQUARES {
            let quad = i / PARTS - QUADS;
            let column = min(c, COLUMNS - 1u);
            (*x)[4u * n] = k_column(kv_at(item.keys_at, item.kv_head, clipped(keys, tile + key_of(quad, 0u))), column);
            (*x)[4u * n + 1u] = k_column(kv_at(item.keys_at, item.kv_head, clipped(keys, tile + key_of(quad, 1u))), column);
            (*x)[4u * n + 2u] = k_column(kv_at(item.keys_at, item.kv_head, clipped(keys, tile + key_of(quad, 2u))), column);
            (*x)[4u * n + 3u] = k_column(kv_at(item.keys_at, item.kv_head, clipped(keys, tile + key_of(quad, 3u))), column);
        }
    }
}

fn put_slab(x: ptr<function, array<vec4<f32>, FETCHED>>, keys: Keys, tile: i32, slab: u32, lane: u32, at: u32) {
    if !whole(keys, tile) || SLABS * PARTS > COLUMNS {
        //! unroll
        for (var n = 0u; n < READS; n++) {
            let i = lane + n * WORKGROUP;
            if i >= Q_SQUARES {
                //! unroll
                for (var k = 0u; k < FOUR; k++) {
                    let there = slab * PARTS + i % PARTS < COLUMNS && loaded(keys, tile + key_of(i / PARTS - QUADS, k));
                    (*x)[4u * n + k] = select(vec4<f32>(0.0), (*x)[4u * n + k], there);
                }
            }
        }
    }
    //! unroll
    for (var n = 0u; n < READS; n++) {
        let i = lane + n * WORKGROUP;
        if SQUARES % WORKGROUP == 0u || i < SQUARES {
            // A slab of K begins where that of Q ends.
            let line = select(K_LINE, Q_LINE, i < Q_SQUARES);
            let to = at + min(select(Q_SIZE + i % PARTS * K_LINE + (i / PARTS - QUADS), i % PARTS * Q_LINE + i / PARTS, i < Q_SQUARES), HALF - 1u);
            stage[to] = vec4<f32>((*x)[4u * n].x, (*x)[4u * n + 1u].x, (*x)[4u * n + 2u].x, (*x)[4u * n + 3u].x);
            stage[to + PARTS * line] = vec4<f32>((*x)[4u * n].y, (*x)[4u * n + 1u].y, (*x)[4u * n + 2u].y, (*x)[4u * n + 3u].y);
            stage[to + 2u * PARTS * line] = vec4<f32>((*x)[4u * n].z, (*x)[4u * n + 1u].z, (*x)[4u * n + 2u].z, (*x)[4u * n + 3u].z);
            stage[to + 3u * PARTS * line] = vec4<f32>((*x)[4u * n].w, (*x)[4u * n + 1u].w, (*x)[4u * n + 2u].w, (*x)[4u * n + 3u].w);
        }
    }
}

fn fetch_v(x: ptr<function, array<vec4<f32>, FETCHED>>, item: Item, keys: Keys, tile: i32, piece: u32, lane: u32) {
    //! unroll
    for (var n = 0u; n < V_READS; n++) {
        let i = min(lane + n * WORKGROUP, V_SIZE - 1u);
        (*x)[n] = v_column(kv_at(item.keys_at, item.kv_head, clipped(keys, tile + i32(piece * VK + i / COLUMNS))), i % COLUMNS);
    }
}

fn put_v(x: ptr<function, array<vec4<f32>, FETCHED>>, keys: Keys, tile: i32, piece: u32, lane: u32, at: u32) {
    if !whole(keys, tile) {
        //! unroll
        for (var n = 0u; n < V_READS; n++) {
            let i = lane + n * WORKGROUP;
            (*x)[n] = select(vec4<f32>(0.0), (*x)[n], loaded(keys, tile + i32(piece * VK + i / COLUMNS)));
        }
    }
    //! unroll
    for (var n = 0u; n < V_READS; n++) {
        let i = lane + n * WORKGROUP;
        if V_READS * WORKGROUP == V_SIZE || i < V_SIZE {
            values[at + i / COLUMNS * V_LINE + i % COLUMNS] = (*x)[n];
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
            let column = tx + c * TX;
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

@compute @workgroup_size(WORKGROUP, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let index = group.z * FOLD + group.y;
    if index >= step[ITEMS_WORD] {
        return;
    }
    let tx = lane % TX;
    let ty = lane / TX;
    let item = item_at(index, group.x);
    var keys = keys_seen(item);
    if walk_done(keys) {
        return;
    }
    keys.end = walk_end(keys);
    let first_row = item.first + ty * (4u * RG);

    var maximum: array<vec4<f32>, RG>;
    //! unroll
    for (var g = 0u; g < RG; g++) { maximum[g] = vec4<f32>(NONE); }
    var sum: array<vec4<f32>, RG>;
    var sums: array<vec4<f32>, OUTS>; // the output: [RG][RC][row]

    walk_take(item, index, lane, &maximum, &sum, &sums);

    var fetched: array<vec4<f32>, FETCHED>;
    var tile = next_tile(item, keys, walk_begin(keys));
    fetch_slab(&fetched, item, keys, tile, 0u, lane);
    put_slab(&fetched, keys, tile, 0u, lane, 0u);
    //! turns: TILES
    while tile < keys.end {
        let next = next_tile(item, keys, tile + i32(BK));
        // The scores S = Q·K.
        var s = array<vec4<f32>, SCORES>(); // [RG][key], of four rows
        for (var n = 0u; n < SLABS; n++) {
            workgroupBarrier();
            if n + 1u < SLABS {
                fetch_slab(&fetched, item, keys, tile, n + 1u, lane);
            } else {
                fetch_v(&fetched, item, keys, tile, 0u, lane);
            }
            let q_at = n % 2u * HALF + ty * RG;
            let k_at = n % 2u * HALF + Q_SIZE + tx;
            for (var m = 0u; m < DEPTH / STEP; m++) {
                //! unroll
                for (var e = 0u; e < STEP; e++) {
                    let line = e % 4u * PARTS + e / 4u + m * (STEP / 4u); // summed in the head dim's order, as the backward pass does
                    var k: array<vec4<f32>, KG>;
                    //! unroll
                    for (var j = 0u; j < KG; j++) { k[j] = stage[k_at + line * K_LINE + j * TX]; }
                    //! unroll
                    for (var g = 0u; g < RG; g++) {
                        let x = stage[q_at + line * Q_LINE + g];
                        //! unroll
                        for (var j = 0u; j < KG; j++) {
                            s[(g * KG + j) * 4u] = fma(x, vec4<f32>(k[j].x), s[(g * KG + j) * 4u]);
                            s[(g * KG + j) * 4u + 1u] = fma(x, vec4<f32>(k[j].y), s[(g * KG + j) * 4u + 1u]);
                            s[(g * KG + j) * 4u + 2u] = fma(x, vec4<f32>(k[j].z), s[(g * KG + j) * 4u + 2u]);
                            s[(g * KG + j) * 4u + 3u] = fma(x, vec4<f32>(k[j].w), s[(g * KG + j) * 4u + 3u]);
                        }
                    }
                }
            }
            if n + 1u < SLABS {
                put_slab(&fetched, keys, tile, n + 1u, lane, (n + 1u) % 2u * HALF);
            } else {
                put_v(&fetched, keys, tile, 0u, lane, 0u);
            }
        }

        // What hides and bends them, and the rows' maxima.
        var now = maximum;
        if CAUSAL_ONLY && all_seen(item, keys, tile) {
            //! unroll
            for (var g = 0u; g < RG; g++) {
                //! unroll
                for (var j = 0u; j < KEYS; j++) {
                    s[g * KEYS + j] *= SCALE;
                    now[g] = max(now[g], s[g * KEYS + j]);
                }
            }
        } else {
            //! unroll
            for (var g = 0u; g < RG; g++) {
                let flat = first_row + 4u * g;
                let limit = last_seen(item, flat);
                //! unroll
                for (var j = 0u; j < KEYS; j++) {
                    let key = tile + i32(tx + TX * j);
                    var x = s[g * KEYS + j] * SCALE;
                    if CAUSAL_ONLY {
                        x = select(vec4<f32>(NONE), x, vec4<i32>(key) <= limit);
                    } else {
                        x = vec4<f32>(shown(item, flat, key, x.x), shown(item, flat + 1u, key, x.y), shown(item, flat + 2u, key, x.z), shown(item, flat + 3u, key, x.w));
                    }
                    s[g * KEYS + j] = x;
                    now[g] = max(now[g], x);
                }
            }
        }
        rows_max(&now, tx, ty);

        // The weights P, and the state so far in terms of the new maxima.
        //! unroll
        for (var g = 0u; g < RG; g++) {
            let scale = rescale(maximum[g], now[g]);
            let top = max(now[g], vec4<f32>(FLOOR)); // so that keys out of sight weigh nothing
            maximum[g] = now[g];
            var total = sum[g] * scale;
            //! unroll
            for (var j = 0u; j < KEYS; j++) {
                s[g * KEYS + j] = exp(s[g * KEYS + j] - top);
                total += s[g * KEYS + j];
                if DROP_BELOW > 0u {
                    let key = tile + i32(tx + TX * j);
                    let flat = first_row + 4u * g;
                    s[g * KEYS + j] *= vec4<f32>(kept(item, flat, key), kept(item, flat + 1u, key), kept(item, flat + 2u, key), kept(item, flat + 3u, key));
                }
            }
            sum[g] = total;
            //! unroll
            for (var c = 0u; c < RC; c++) {
                sums[4u * (g * RC + c)] *= scale.x;
                sums[4u * (g * RC + c) + 1u] *= scale.y;
                sums[4u * (g * RC + c) + 2u] *= scale.z;
                sums[4u * (g * RC + c) + 3u] *= scale.w;
            }
        }

        // The output O += P·V.
        //! unroll
        for (var h = 0u; h < TURNS; h++) {
            workgroupBarrier();
            //! unroll
            for (var g = 0u; g < RG; g++) {
                //! unroll
                for (var j = 0u; j < TURN_KEYS; j++) { stage[(tx + TX * j) * P_LINE + ty * RG + g] = s[g * KEYS + h * TURN_KEYS + j]; }
            }
            for (var n = 0u; n < PIECES; n++) {
                workgroupBarrier();
                if n + 1u < PIECES || h + 1u < TURNS {
                    fetch_v(&fetched, item, keys, tile, h * PIECES + n + 1u, lane);
                } else {
                    fetch_slab(&fetched, item, keys, next, 0u, lane);
                }
                let v_at = n % 2u * V_HALF + tx;
                for (var m = 0u; m < VK / STEP; m++) {
                    let p_at = (n * VK + m * STEP) * P_LINE + ty * RG;
                    //! unroll
                    for (var e = 0u; e < STEP; e++) {
                        var p: array<vec4<f32>, RG>;
                        //! unroll
                        for (var g = 0u; g < RG; g++) { p[g] = stage[p_at + e * P_LINE + g]; }
                        //! unroll
                        for (var c = 0u; c < RC; c++) {
                            let x = values[v_at + (m * STEP + e) * V_LINE + c * TX];
                            //! unroll
                            for (var g = 0u; g < RG; g++) {
                                sums[4u * (g * RC + c)] = fma(vec4<f32>(p[g].x), x, sums[4u * (g * RC + c)]);
                                sums[4u * (g * RC + c) + 1u] = fma(vec4<f32>(p[g].y), x, sums[4u * (g * RC + c) + 1u]);
                                sums[4u * (g * RC + c) + 2u] = fma(vec4<f32>(p[g].z), x, sums[4u * (g * RC + c) + 2u]);
                                sums[4u * (g * RC + c) + 3u] = fma(vec4<f32>(p[g].w), x, sums[4u * (g * RC + c) + 3u]);
                            }
                        }
                    }
                }
                if n + 1u < PIECES || h + 1u < TURNS {
                    put_v(&fetched, keys, tile, h * PIECES + n + 1u, lane, (n + 1u) % 2u * V_HALF);
                }
            }
        }
        workgroupBarrier();
        put_slab(&fetched, keys, next, 0u, lane, 0u);
        tile = next;
    }
    if walk_waits(keys) {
        walk_keep(item, index, lane, &maximum, &sum, &sums);
        return;
    }
    rows_sum(&sum, tx, ty);

    // Copies, indexed by what no compiler may unroll, leave what is above in registers.
    var done = sums;
    var total = sum;
    var top = maximum;
    finish_rows(item, tx, ty, &done, &total, &top);
}
