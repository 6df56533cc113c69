// Flash attention for large GPUs (FlashAttention-2, arXiv 2307.08691, algorithm 1), laid out as a matrix product whose
// invocations own squares of 8 × 8 scores: the larger, the fewer reads of workgroup memory a multiply-add takes. A workgroup of
// TX × TY owns BQ = 4·RG·TY flat query rows of one KV head and walks keys in tiles of BK = 4·KG·TX. Invocation (tx, ty) has the
// scores of 4·RG neighbouring rows and of the keys tx, tx+TX, …, and of the output the same rows and the columns tx, tx+TX, … of
// four elements.
//
// Q and K come in slabs of DEPTH elements of the head dim, transposed, four rows or keys to a vector, V in pieces of STEP keys. Each
// is read into registers while the one before it is multiplied, then goes where nobody reads, so that one barrier each is enough.
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
//! const LINE: u32        vec4s of a line of the memory that slabs and weights share
//! const PLANES: u32      of it, of STEP lines
//! const SLABS: u32       of the head dim
//! const STEP: u32        keys of V in a piece
//! const STEPS: u32       planes of a slab of Q, or of K
//! const READS: u32       squares of four rows, or keys, by four elements that an invocation fetches of a slab
//! const V_READS: u32     vectors of a piece of V
//! const FETCHED: u32     vectors that an invocation fetches of a slab of K or a piece of V
//! const TURNS: u32       parts of a tile's weights that go through workgroup memory one after another
//! const TURN_KEYS: u32   keys of an invocation in a part
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
const PIECES: u32 = BK / TURNS / STEP;      // of a part; even, as SLABS is
const STEP_PARTS: u32 = STEP / 4u;
const Q_SQUARES: u32 = QUADS * PARTS;
const SQUARES: u32 = Q_SQUARES + KEY_QUADS * PARTS;
const V_LINE: u32 = TX * RC;
const V_SIZE: u32 = STEP * COLUMNS;          // of a piece
const ROWS: u32 = 4u * READS;
const OUTS: u32 = 4u * RG * RC;
const SCORES: u32 = 4u * RG * KG;
const CAUSAL_ONLY: bool = MASK == 0u && WINDOW == 0u && SOFTCAP == 0.0 && !ALIBI;
const FLOOR: f32 = -2.9e38;                 // above NONE, below what a key in sight scores

// Constants find their way into instructions only where each has a dimension of its own: compilers bound what varies.
var<workgroup> stage: array<array<array<vec4<f32>, LINE>, STEP>, PLANES>; // two slabs of Q and K, or the weights P: [key][row]
var<workgroup> values: array<array<array<vec4<f32>, V_LINE>, STEP>, 2u>;

// key_of is the i-th key of a quad.
fn key_of(quad: u32, i: u32) -> i32 { return i32(quad % TX + TX * (4u * (quad / TX) + i)); }

// whole tells whether some row may see each key of a tile; where not, those out of sight become 0.
fn whole(keys: Keys, tile: i32) -> bool { return tile >= keys.lowest && tile + i32(BK) <= keys.highest; }

fn clipped(keys: Keys, key: i32) -> u32 { return u32(min(key, keys.highest - 1)); }

// find_rows finds an invocation's rows of Q and keys of a tile; fetch_slab reads its squares of a slab, those of Q before those of K;
// put_slab stores them, what is out of sight as 0.
fn find_rows(x: ptr<function, array<u32, ROWS>>, item: Item, keys: Keys, tile: i32, lane: u32) {
    //! unroll
    for (var n = 0u; n < READS; n++) {
        let i = lane + n * WORKGROUP;
        if i < Q_SQUARES {
            let flat = item.first + 4u * (i / PARTS);
            //! unroll
            for (var k = 0u; k < FOUR; k++) {
                let there = min(flat + k, item.rows - 1u);
                (*x)[4u * n + k] = q_place(item.token + query_of(there), head_of(item, there));
            }
        } else {
            //! unroll
            for (var k = 0u; k < FOUR; k++) {
                (*x)[4u * n + k] = kv_at(item.keys_at, item.kv_head, clipped(keys, tile + key_of(i / PARTS - QUADS, k)));
            }
        }
    }
}

fn fetch_slab(x: ptr<function, array<vec4<f32>, FETCHED>>, rows: ptr<function, array<u32, ROWS>>, slab: u32, lane: u32) {
    //! unroll
    for (var n = 0u; n < READS; n++) {
        let i = lane + n * WORKGROUP;
        var c = slab * PARTS + i % PARTS;
        if SLABS * PARTS > COLUMNS {
            c = min(c, COLUMNS - 1u);
        }
        if i < Q_SQUARES {
            //! unroll
            for (var k = 0u; k < FOUR; k++) { (*x)[4u * n + k] = q_at((*rows)[4u * n + k], c); }
        } else if SQUARES % WORKGROUP == 0u || i < SQUARES {
            //! unroll
            for (var k = 0u; k < FOUR; k++) { (*x)[4u * n + k] = k_column((*rows)[4u * n + k], c); }
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
            let quad = i / PARTS - select(QUADS, 0u, i < Q_SQUARES);
            let step = i % PARTS / STEP_PARTS;
            let plane = at + step + select(STEPS, 0u, i < Q_SQUARES);
            let line = i % PARTS; // those of the steps lie in turn, so that neighbours store to different banks
            stage[plane][line % STEP][quad] = vec4<f32>((*x)[4u * n].x, (*x)[4u * n + 1u].x, (*x)[4u * n + 2u].x, (*x)[4u * n + 3u].x);
            stage[plane][(line + STEP_PARTS) % STEP][quad] = vec4<f32>((*x)[4u * n].y, (*x)[4u * n + 1u].y, (*x)[4u * n + 2u].y, (*x)[4u * n + 3u].y);
            stage[plane][(line + 2u * STEP_PARTS) % STEP][quad] = vec4<f32>((*x)[4u * n].z, (*x)[4u * n + 1u].z, (*x)[4u * n + 2u].z, (*x)[4u * n + 3u].z);
            stage[plane][(line + 3u * STEP_PARTS) % STEP][quad] = vec4<f32>((*x)[4u * n].w, (*x)[4u * n + 1u].w, (*x)[4u * n + 2u].w, (*x)[4u * n + 3u].w);
        }
    }
}

fn fetch_v(x: ptr<function, array<vec4<f32>, FETCHED>>, item: Item, keys: Keys, tile: i32, piece: u32, lane: u32) {
    //! unroll
    for (var n = 0u; n < V_READS; n++) {
        let i = min(lane + n * WORKGROUP, V_SIZE - 1u);
        (*x)[n] = v_column(kv_at(item.keys_at, item.kv_head, clipped(keys, tile + i32(piece * STEP + i / COLUMNS))), i % COLUMNS);
    }
}

fn put_v(x: ptr<function, array<vec4<f32>, FETCHED>>, keys: Keys, tile: i32, piece: u32, lane: u32, at: u32) {
    if !whole(keys, tile) {
        //! unroll
        for (var n = 0u; n < V_READS; n++) {
            let i = lane + n * WORKGROUP;
            (*x)[n] = select(vec4<f32>(0.0), (*x)[n], loaded(keys, tile + i32(piece * STEP + i / COLUMNS)));
        }
    }
    //! unroll
    for (var n = 0u; n < V_READS; n++) {
        let i = lane + n * WORKGROUP;
        if V_READS * WORKGROUP == V_SIZE || i < V_SIZE {
            values[at][i / COLUMNS][i % COLUMNS] = (*x)[n];
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
    var rows: array<u32, ROWS>;
    find_rows(&rows, item, keys, tile, lane);
    fetch_slab(&fetched, &rows, 0u, lane);
    put_slab(&fetched, keys, tile, 0u, lane, 0u);
    //! turns: TILES
    while tile < keys.end {
        let next = next_tile(item, keys, tile + i32(BK));
        // The scores S = Q·K.
        var s = array<vec4<f32>, SCORES>(); // [RG][key], of four rows
        for (var n = 0u; n < SLABS; n++) {
            workgroupBarrier();
            if n + 1u < SLABS {
                fetch_slab(&fetched, &rows, n + 1u, lane);
            } else {
                fetch_v(&fetched, item, keys, tile, 0u, lane);
            }
            let q_at = ty * RG;
            //! unroll
            for (var m = 0u; m < STEPS; m++) {
                let plane = n % 2u * (2u * STEPS) + m;
                //! unroll
                for (var e = 0u; e < STEP; e++) {
                    let line = (e % 4u * STEP_PARTS + e / 4u + m * STEP_PARTS) % STEP; // summed in the head dim's order, as the backward pass does
                    var k: array<vec4<f32>, KG>;
                    //! unroll
                    for (var j = 0u; j < KG; j++) { k[j] = stage[plane + STEPS][line][tx + j * TX]; }
                    //! unroll
                    for (var g = 0u; g < RG; g++) {
                        let x = stage[plane][line][q_at + g];
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
                put_slab(&fetched, keys, tile, n + 1u, lane, (n + 1u) % 2u * (2u * STEPS));
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
                for (var j = 0u; j < TURN_KEYS; j++) { stage[(tx + TX * j) / STEP][(tx + TX * j) % STEP][ty * RG + g] = s[g * KEYS + h * TURN_KEYS + j]; }
            }
            for (var n = 0u; n < PIECES; n++) {
                workgroupBarrier();
                if n + 1u < PIECES || h + 1u < TURNS {
                    fetch_v(&fetched, item, keys, tile, h * PIECES + n + 1u, lane);
                } else {
                    find_rows(&rows, item, keys, next, lane);
                    fetch_slab(&fetched, &rows, 0u, lane);
                }
                //! unroll
                for (var e = 0u; e < STEP; e++) {
                    var p: array<vec4<f32>, RG>;
                    //! unroll
                    for (var g = 0u; g < RG; g++) { p[g] = stage[n][e][ty * RG + g]; }
                    //! unroll
                    for (var c = 0u; c < RC; c++) {
                        let x = values[n % 2u][e][tx + c * TX];
                        //! unroll
                        for (var g = 0u; g < RG; g++) {
                            sums[4u * (g * RC + c)] = fma(vec4<f32>(p[g].x), x, sums[4u * (g * RC + c)]);
                            sums[4u * (g * RC + c) + 1u] = fma(vec4<f32>(p[g].y), x, sums[4u * (g * RC + c) + 1u]);
                            sums[4u * (g * RC + c) + 2u] = fma(vec4<f32>(p[g].z), x, sums[4u * (g * RC + c) + 2u]);
                            sums[4u * (g * RC + c) + 3u] = fma(vec4<f32>(p[g].w), x, sums[4u * (g * RC + c) + 3u]);
                        }
                    }
                }
                if n + 1u < PIECES || h + 1u < TURNS {
                    put_v(&fetched, keys, tile, h * PIECES + n + 1u, lane, (n + 1u) % 2u);
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
