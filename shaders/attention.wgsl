// Flash attention (FlashAttention-2, arXiv 2307.08691, algorithm 1; grouped query heads packed onto their KV head). A
// workgroup owns BQ query rows of one KV head and walks the keys of its item in tiles of BK, with an online softmax that
// keeps each row's maximum and sum.
//
// Invocation (tx, ty) owns RQ = 4·RG neighbouring query rows, and of a tile's scores those of the RK keys tx, tx+TX, …; four
// rows are a vector, and lie so in workgroup memory too: Q and P transposed. K goes through workgroup memory in SLABS slabs
// of SLAB columns (of four elements), V in as many pieces of VK keys, through the same memory. Of the output an invocation
// owns RC columns; where a tile has more invocations along its keys than columns, PARTS of them share a column's keys, and
// their outputs are summed at the end.
//
// What a row computes depends neither on its place in the tile nor on its neighbours: a tile it does not see leaves its
// state exactly as it was.
//! include: step sight score mask dropout item key_rows fold
//! slot keys: keys_blocks keys_rows
//! slot kv: kv_f32 kv_f32x4 kv_f16 kv_f16x4 kv_bf16 kv_bf16x4 kv_q8 kv_q8x4
//! slot q: q_f32 q_f32x4 q_f16 q_bf16
//! slot stage: stage_f32 stage_f16
//! slot rows: attention_rows_workgroup attention_rows_subgroup
//! slot lse: lse_none lse_keep
//! slot finish: attention_whole attention_split attention_shared
//! slot walk: walk_whole walk_parts
//! const TX: u32           invocations along the keys
//! const TY: u32           invocations along the query rows
//! const RG: u32           vec4s of query rows that an invocation owns
//! const RK: u32           keys of a tile that an invocation owns
//! const SLABS: u32        slabs of K's columns, and pieces of V's keys
//! const SLAB: u32         columns of a slab
//! const Q_SLABS: u32      slabs of Q that are staged: SLABS, or 1 with K's
//! const STAGES: u32       2: K and V are staged at once, 1: one after the other
//! const RC: u32           columns of the output that an invocation owns
//! const SLAB_STRIDE: u32  columns from one key of a slab to the next
//! const P_STRIDE: u32     vec4s from one key's weights to the next's
//! const BATCH: u32        loads in flight
//! const CX: u32           invocations along the keys that own different columns
//! const PARTS: u32        invocations that share a column's keys
//! const ITEMS_WORD: u32   the step's word with the number of items
//! const SOFTCAP: f32      bound of scores; 0: none
//! const ALIBI: bool       scores fall with distance
//! const SCALE: f32        of q·k
//! const DROP_BELOW: u32   a draw below it drops a weight; 0: no dropout
//! most TILES: u32         tiles that a launch walks

@group(0) @binding(1) var<storage, read> q: array<QUnit>;
@group(0) @binding(2) var<storage, read> k_cache: array<KvUnit>;
@group(0) @binding(3) var<storage, read> v_cache: array<KvUnit>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

const WORKGROUP: u32 = TX * TY;
const QUADS: u32 = TY * RG;                // of query rows
const BQ: u32 = 4u * QUADS;
const ITEM_ROWS: u32 = BQ;
const BK: u32 = TX * RK;
const VK: u32 = BK / SLABS;
const Q_COLUMNS: u32 = SLAB * Q_SLABS;     // of Q that are staged at a time
const V_STAGE: u32 = STAGES - 1u;          // K and V apart, or one after the other
const SCORES: u32 = RG * RK;
const OUTS: u32 = 4u * RG * RC;

var<workgroup> q_tile: array<array<array<Staged, QUADS>, 4>, Q_COLUMNS>;       // [column][element][four rows]
var<workgroup> kv_tile: array<array<array<Staged, SLAB_STRIDE>, BK>, STAGES>; // [K, V][key][column]
var<workgroup> p_tile: array<array<Staged, P_STRIDE>, BK>;                    // [key][four rows]

// stage_q stages columns from first of all the tile's rows. Four rows by four elements are transposed, and exchanged by
// their place so that neighbouring columns store to different banks.
fn stage_q(item: Item, first: u32, lane: u32) {
    for (var i = lane; i < QUADS * Q_COLUMNS; i += WORKGROUP) {
        let quad = i / Q_COLUMNS;
        let column = i % Q_COLUMNS;
        let flat = item.first + 4u * quad;
        let c = first + column;
        var rows: mat4x4<f32>;
        for (var r = 0u; r < 4u; r++) { rows[r] = q_row(item, flat + r, c); }
        let x = transpose(rows);
        let to = quad ^ (column % QUADS);
        q_tile[column][0][to] = staged(x[0]);
        q_tile[column][1][to] = staged(x[1]);
        q_tile[column][2][to] = staged(x[2]);
        q_tile[column][3][to] = staged(x[3]);
    }
}

// stage_k stages a slab of K's columns, BATCH loads in flight, and with two stages V too. What no row sees is loaded all
// the same, from a place that exists, and staged as 0.
fn stage_k(item: Item, keys: Keys, tile: i32, slab: u32, lane: u32) {
    for (var base = lane; base < BK * SLAB; base += BATCH * WORKGROUP) {
        var x: array<vec4<f32>, BATCH>;
        var y: array<vec4<f32>, BATCH>;
        for (var n = 0u; n < BATCH; n++) {
            let i = base + n * WORKGROUP;
            x[n] = k_loaded(item, keys, tile + i32(i / SLAB), slab * SLAB + i % SLAB);
            if STAGES > 1u {
                y[n] = v_loaded(item, keys, tile + i32(i / SLAB), i % SLAB);
            }
        }
        for (var n = 0u; n < BATCH; n++) {
            let i = base + n * WORKGROUP;
            if i < BK * SLAB {
                kv_tile[0][i / SLAB][i % SLAB] = staged(x[n]);
                if STAGES > 1u {
                    kv_tile[V_STAGE][i / SLAB][i % SLAB] = staged(y[n]);
                }
            }
        }
    }
}

// stage_v stages a piece of V, keys piece·VK to (piece+1)·VK of the tile, a key in SLABS lines.
fn stage_v(item: Item, keys: Keys, tile: i32, piece: u32, lane: u32) {
    for (var base = lane; base < BK * SLAB; base += BATCH * WORKGROUP) {
        var x: array<vec4<f32>, BATCH>;
        for (var n = 0u; n < BATCH; n++) {
            let i = base + n * WORKGROUP;
            x[n] = v_loaded(item, keys, tile + i32(piece * VK + i / SLAB / SLABS), (i / SLAB % SLABS) * SLAB + i % SLAB);
        }
        for (var n = 0u; n < BATCH; n++) {
            let i = base + n * WORKGROUP;
            if i < BK * SLAB {
                kv_tile[V_STAGE][i / SLAB][i % SLAB] = staged(x[n]);
            }
        }
    }
}

// join_parts adds up what the invocations have that share a column's keys. All of the workgroup must call it.
fn join_parts(done: ptr<function, array<vec4<f32>, OUTS>>, tx: u32, ty: u32) {
    if PARTS == 1u {
        return;
    }
    let part = tx / CX;
    for (var o = 0u; o < OUTS; o++) {
        workgroupBarrier();
        row_tile[ty][tx] = (*done)[o];
        workgroupBarrier();
        for (var n = 1u; n < PARTS; n++) {
            if part == 0u {
                (*done)[o] += row_tile[ty][tx + n * CX];
            }
        }
    }
}

// finish_rows writes the invocation's rows, or what a merge is to make of them.
fn finish_rows(item: Item, tx: u32, ty: u32, done: ptr<function, array<vec4<f32>, OUTS>>,
    total: ptr<function, array<vec4<f32>, RG>>, top: ptr<function, array<vec4<f32>, RG>>) {
    let first_row = item.first + ty * (4u * RG);
    let cx = tx % CX;
    let part = tx / CX;
    for (var r = 0u; r < 4u * RG; r++) {
        let flat = first_row + r;
        if flat >= item.rows {
            break;
        }
        let partial = partial_at(item, flat);
        let l = (*total)[r / 4u][r % 4u];
        for (var c = 0u; c < RC; c++) {
            let column = cx + c * CX;
            let x = (*done)[4u * ((r / 4u) * RC + c) + r % 4u];
            if part == 0u && column < COLUMNS {
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

@compute @workgroup_size(TX, TY, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let index = group.z * FOLD + group.y;
    if index >= step[ITEMS_WORD] {
        return;
    }
    let tx = local.x;
    let ty = local.y;
    let lane = ty * TX + tx;

    let item = item_at(index, group.x);
    var keys = keys_seen(item);
    if walk_done(keys) {
        return;
    }
    keys.end = walk_end(keys);

    if Q_SLABS > 1u || SLABS == 1u {
        stage_q(item, 0u, lane);
    }

    let first_row = item.first + ty * (4u * RG);
    let cx = tx % CX;
    let part = tx / CX;
    var maximum: array<vec4<f32>, RG>;
    for (var g = 0u; g < RG; g++) { maximum[g] = vec4<f32>(NONE); }
    var sum: array<vec4<f32>, RG>;
    var sums: array<vec4<f32>, OUTS>; // the output: [RG][RC][row]

    walk_take(item, index, lane, &maximum, &sum, &sums);

    //! turns: TILES
    for (var tile = next_tile(item, keys, walk_begin(keys)); tile < keys.end; tile = next_tile(item, keys, tile + i32(BK))) {
        // The scores S = Q·K.
        var s = array<vec4<f32>, SCORES>(); // [RG][RK]; some compilers clear what has no value once only
        for (var slab = 0u; slab < SLABS; slab++) {
            if slab > 0u {
                workgroupBarrier();
            }
            if Q_SLABS == 1u && SLABS > 1u {
                stage_q(item, slab * SLAB, lane);
            }
            stage_k(item, keys, tile, slab, lane);
            workgroupBarrier();
            for (var c = 0u; c < SLAB; c++) {
                var k: array<vec4<f32>, RK>;
                for (var j = 0u; j < RK; j++) { k[j] = vec4<f32>(kv_tile[0][tx + j * TX][c]); }
                let column = slab * (SLAB * (Q_SLABS / SLABS)) + c;
                for (var g = 0u; g < RG; g++) {
                    let quad = (ty * RG + g) ^ (column % QUADS);
                    let q0 = vec4<f32>(q_tile[column][0][quad]);
                    let q1 = vec4<f32>(q_tile[column][1][quad]);
                    let q2 = vec4<f32>(q_tile[column][2][quad]);
                    let q3 = vec4<f32>(q_tile[column][3][quad]);
                    for (var j = 0u; j < RK; j++) {
                        var x = fma(q0, vec4<f32>(k[j].x), s[g * RK + j]);
                        x = fma(q1, vec4<f32>(k[j].y), x);
                        x = fma(q2, vec4<f32>(k[j].z), x);
                        s[g * RK + j] = fma(q3, vec4<f32>(k[j].w), x);
                    }
                }
            }
        }

        // What hides and bends them, and the rows' maxima.
        let plain = SOFTCAP == 0.0 && !ALIBI && all_seen(item, keys, tile);
        var now = maximum;
        for (var g = 0u; g < RG; g++) {
            let flat = first_row + 4u * g;
            for (var j = 0u; j < RK; j++) {
                let key = tile + i32(tx + j * TX);
                var x = s[g * RK + j] * SCALE;
                if !plain {
                    var y = x;
                    for (var r = 0u; r < 4u; r++) { y[r] = shown(item, flat + r, key, x[r]); }
                    x = y;
                }
                s[g * RK + j] = x;
                now[g] = max(now[g], x);
            }
        }
        rows_max(&now, tx, ty);

        // The weights P, and the state so far in terms of the new maxima.
        for (var g = 0u; g < RG; g++) {
            let scale = rescale(maximum[g], now[g]);
            maximum[g] = now[g];
            var total = sum[g] * scale;
            for (var j = 0u; j < RK; j++) {
                var p = weight(s[g * RK + j], now[g]);
                total += p;
                if DROP_BELOW > 0u {
                    let flat = first_row + 4u * g;
                    let key = tile + i32(tx + j * TX);
                    var factors: vec4<f32>;
                    for (var r = 0u; r < 4u; r++) { factors[r] = kept(item, flat + r, key); }
                    p *= factors;
                }
                p_tile[tx + j * TX][ty * RG + g] = staged(p);
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

        // The output O += P·V.
        for (var piece = 0u; piece < SLABS; piece++) {
            if STAGES == 1u {
                stage_v(item, keys, tile, piece, lane);
            }
            workgroupBarrier();
            if part < PARTS {
                for (var n = 0u; n < VK / PARTS; n++) {
                    let v = n * PARTS + part;
                    var p: array<vec4<f32>, RG>;
                    for (var g = 0u; g < RG; g++) { p[g] = vec4<f32>(p_tile[piece * VK + v][ty * RG + g]); }
                    for (var c = 0u; c < RC; c++) {
                        let column = min(cx + c * CX, COLUMNS - 1u);
                        let x = vec4<f32>(kv_tile[V_STAGE][v * SLABS + column / SLAB][column % SLAB]);
                        for (var g = 0u; g < RG; g++) {
                            let o = 4u * (g * RC + c);
                            sums[o] = fma(vec4<f32>(p[g].x), x, sums[o]);
                            sums[o + 1u] = fma(vec4<f32>(p[g].y), x, sums[o + 1u]);
                            sums[o + 2u] = fma(vec4<f32>(p[g].z), x, sums[o + 2u]);
                            sums[o + 3u] = fma(vec4<f32>(p[g].w), x, sums[o + 3u]);
                        }
                    }
                }
            }
            workgroupBarrier();
        }
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
    join_parts(&done, tx, ty);
    finish_rows(item, tx, ty, &done, &total, &top);
}
