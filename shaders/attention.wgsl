// Flash attention over block tables (FlashAttention-2, arXiv 2307.08691, algorithm 1; grouped query heads packed onto
// their KV head). A workgroup owns BQ query rows of one KV head and walks the keys of its item in tiles of BK: K goes
// through workgroup memory in slabs of columns, then V does, and an online softmax keeps each row's maximum and sum.
//
// Invocation (tx, ty) owns query rows 2·ty and 2·ty+1 and, in each tile, keys tx and tx+TX; of the output it owns the
// columns tx and tx+TX of each slab. What a row computes depends neither on its place in the tile nor on its neighbours:
// a tile it does not see leaves its state exactly as it was.
// include: step
// include: kv
// include: finish

@group(0) @binding(1) var<storage, read> q: array<f32>;
@group(0) @binding(2) var<storage, read> k_cache: array<KvUnit>;
@group(0) @binding(3) var<storage, read> v_cache: array<KvUnit>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

const COLUMNS: u32 = (HEAD_DIM + 3u) / 4u; // columns of four elements
const THREADS: u32 = TX * TY;
const FOLD: u32 = 65535u;                  // items along a dispatch's x
const DIRECT: u32 = 0x80000000u;           // mark of an item that sees all its rows' keys
const NONE: f32 = -3.0e38;                 // maximum of a row that has seen nothing

var<workgroup> q_tile: array<vec4<f32>, Q_TILE>;     // [BQ][SLABS · SLAB]
var<workgroup> kv_tile: array<vec4<f32>, KV_TILE>;   // [BK][SLAB_STRIDE]
var<workgroup> p_tile: array<vec2<f32>, P_TILE>;     // [BQ][TX], keys tx and tx+TX
var<workgroup> max_tile: array<vec2<f32>, MAX_TILE>; // [TY][TX], rows 2·ty and 2·ty+1

// kv_row gives the cache row of a key.
fn kv_row(row: u32, kv_head: u32, key: u32) -> u32 {
    let block = row_block(row, GROUP, key / BLOCK_SIZE);
    return (block * KV_HEADS + kv_head) * BLOCK_SIZE + key % BLOCK_SIZE;
}

// capped bounds a score softly to ±SOFTCAP: tanh through exp of a value that is never positive.
fn capped(s: f32) -> f32 {
    if (SOFTCAP == 0.0) { return s; }
    let e = exp(max(-2.0 * abs(s) / SOFTCAP, -80.0));
    return sign(s) * SOFTCAP * (1.0 - e) / (1.0 + e);
}

fn total(x: vec4<f32>) -> f32 { return (x.x + x.y) + (x.z + x.w); }

// rescale is what a row's state is multiplied by when its maximum moves; exactly 1 when it does not.
fn rescale(before: f32, now: f32) -> f32 {
    return select(exp(min(before - now, 0.0)), 1.0, before == now);
}

fn weight(s: f32, maximum: f32, visible: bool) -> f32 {
    return select(0.0, exp(min(s - maximum, 0.0)), visible);
}

// store writes one column of a finished query row.
fn store(at: u32, c: u32, x: vec4<f32>) {
    let e = 4u * c;
    out[at + e] = x.x;
    if (e + 1u < HEAD_DIM) { out[at + e + 1u] = x.y; }
    if (e + 2u < HEAD_DIM) { out[at + e + 2u] = x.z; }
    if (e + 3u < HEAD_DIM) { out[at + e + 3u] = x.w; }
}

@compute @workgroup_size(TX, TY, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let index = group.z * FOLD + group.x;
    if (index >= step[ITEMS_WORD]) { return; }
    let kv_head = group.y;
    let tx = local.x;
    let ty = local.y;
    let lane = ty * TX + tx;

    let item = step[ITEMS_WORD + 1u] + index * ITEM_WORDS;
    let row = step[item];
    let flags = step[item + 1u] & DIRECT;
    let first = step[item + 1u] & ~DIRECT;
    let flat_rows = row_count(row) * HEADS_PER_KV;
    let start = bitcast<i32>(row_start(row));
    let token_first = row_first(row);

    // Keys that at least one row of the tile sees: [lowest, highest).
    let last_token = (min(first + BQ, flat_rows) - 1u) / HEADS_PER_KV;
    let highest = max(0, min(bitcast<i32>(step[item + 3u]), start + i32(last_token) + 1));
    var lowest = bitcast<i32>(step[item + 2u]);
    let begin_aligned = lowest;
    if (WINDOW > 0u) { lowest = max(lowest, start + i32(first / HEADS_PER_KV) - i32(WINDOW) + 1); }
    let begin = begin_aligned + ((lowest - begin_aligned) / i32(BK)) * i32(BK);

    for (var i = lane; i < Q_TILE; i += THREADS) {
        let flat = first + i / (SLABS * SLAB);
        let e = 4u * (i % (SLABS * SLAB));
        var x = vec4<f32>(0.0);
        if (flat < flat_rows && e < HEAD_DIM) {
            let head = kv_head * HEADS_PER_KV + flat % HEADS_PER_KV;
            let at = (token_first + flat / HEADS_PER_KV) * Q_STRIDE + Q_OFFSET + head * HEAD_DIM + e;
            x.x = q[at];
            if (e + 1u < HEAD_DIM) { x.y = q[at + 1u]; }
            if (e + 2u < HEAD_DIM) { x.z = q[at + 2u]; }
            if (e + 3u < HEAD_DIM) { x.w = q[at + 3u]; }
        }
        q_tile[i] = x * SCALE;
    }

    // Row a is 2·ty, row b the next. [low, high) is what each sees; a row past the end sees nothing.
    let flat_a = first + 2u * ty;
    let flat_b = flat_a + 1u;
    let position_a = start + i32(flat_a / HEADS_PER_KV);
    let position_b = start + i32(flat_b / HEADS_PER_KV);
    let high_a = select(-1, min(position_a + 1, highest), flat_a < flat_rows);
    let high_b = select(-1, min(position_b + 1, highest), flat_b < flat_rows);
    var low_a = begin_aligned;
    var low_b = begin_aligned;
    if (WINDOW > 0u) {
        low_a = max(low_a, position_a - i32(WINDOW) + 1);
        low_b = max(low_b, position_b - i32(WINDOW) + 1);
    }
    let q_a = (2u * ty) * (SLABS * SLAB);
    let q_b = q_a + SLABS * SLAB;
    let k_x = tx * SLAB_STRIDE;
    let k_y = (tx + TX) * SLAB_STRIDE;
    let column_0 = min(tx, SLAB - 1u);
    let column_1 = min(tx + TX, SLAB - 1u);

    var max_a = NONE;
    var max_b = NONE;
    var sum_a = 0.0;
    var sum_b = 0.0;
    var out_a: array<vec4<f32>, OUT_COLUMNS>;
    var out_b: array<vec4<f32>, OUT_COLUMNS>;

    for (var tile = begin; tile < highest; tile += i32(BK)) {
        // Scores of two rows and two keys.
        var s_ax = vec4<f32>(0.0);
        var s_ay = vec4<f32>(0.0);
        var s_bx = vec4<f32>(0.0);
        var s_by = vec4<f32>(0.0);
        for (var slab = 0u; slab < SLABS; slab++) {
            for (var i = lane; i < BK * SLAB; i += THREADS) {
                let key = tile + i32(i / SLAB);
                let c = slab * SLAB + i % SLAB;
                var x = vec4<f32>(0.0);
                if (key >= lowest && key < highest && c < COLUMNS) { x = k_column(kv_row(row, kv_head, u32(key)), c); }
                kv_tile[(i / SLAB) * SLAB_STRIDE + i % SLAB] = x;
            }
            workgroupBarrier();
            for (var c = 0u; c < SLAB; c++) {
                let a = q_tile[q_a + slab * SLAB + c];
                let b = q_tile[q_b + slab * SLAB + c];
                let x = kv_tile[k_x + c];
                let y = kv_tile[k_y + c];
                s_ax = fma(a, x, s_ax);
                s_ay = fma(a, y, s_ay);
                s_bx = fma(b, x, s_bx);
                s_by = fma(b, y, s_by);
            }
            if (slab + 1u < SLABS) { workgroupBarrier(); }
        }
        let key_x = tile + i32(tx);
        let key_y = key_x + i32(TX);
        let sees_ax = key_x >= low_a && key_x < high_a;
        let sees_ay = key_y >= low_a && key_y < high_a;
        let sees_bx = key_x >= low_b && key_x < high_b;
        let sees_by = key_y >= low_b && key_y < high_b;
        let ax = capped(total(s_ax));
        let ay = capped(total(s_ay));
        let bx = capped(total(s_bx));
        let by = capped(total(s_by));
        max_tile[lane] = vec2<f32>(
            max(select(NONE, ax, sees_ax), select(NONE, ay, sees_ay)),
            max(select(NONE, bx, sees_bx), select(NONE, by, sees_by)));
        workgroupBarrier();

        var now = vec2<f32>(max_a, max_b);
        for (var i = 0u; i < TX; i++) { now = max(now, max_tile[ty * TX + i]); }
        let scale_a = rescale(max_a, now.x);
        let scale_b = rescale(max_b, now.y);
        max_a = now.x;
        max_b = now.y;
        sum_a *= scale_a;
        sum_b *= scale_b;
        p_tile[2u * ty * TX + tx] = vec2<f32>(weight(ax, max_a, sees_ax), weight(ay, max_a, sees_ay));
        p_tile[(2u * ty + 1u) * TX + tx] = vec2<f32>(weight(bx, max_b, sees_bx), weight(by, max_b, sees_by));

        for (var slab = 0u; slab < SLABS; slab++) {
            for (var i = lane; i < BK * SLAB; i += THREADS) {
                let key = tile + i32(i / SLAB);
                let c = slab * SLAB + i % SLAB;
                var x = vec4<f32>(0.0);
                if (key >= lowest && key < highest && c < COLUMNS) { x = v_column(kv_row(row, kv_head, u32(key)), c); }
                kv_tile[(i / SLAB) * SLAB_STRIDE + i % SLAB] = x;
            }
            workgroupBarrier();
            let o = slab * SLAB_COLUMNS;
            var a0 = out_a[o] * scale_a;
            var b0 = out_b[o] * scale_b;
            var a1 = vec4<f32>(0.0);
            var b1 = vec4<f32>(0.0);
            if (SLAB_COLUMNS > 1u) {
                a1 = out_a[o + SLAB_COLUMNS - 1u] * scale_a;
                b1 = out_b[o + SLAB_COLUMNS - 1u] * scale_b;
            }
            for (var i = 0u; i < TX; i++) {
                let a = p_tile[2u * ty * TX + i];
                let b = p_tile[(2u * ty + 1u) * TX + i];
                let x = i * SLAB_STRIDE;
                let y = (i + TX) * SLAB_STRIDE;
                let x0 = kv_tile[x + column_0];
                let y0 = kv_tile[y + column_0];
                a0 = fma(vec4<f32>(a.y), y0, fma(vec4<f32>(a.x), x0, a0));
                b0 = fma(vec4<f32>(b.y), y0, fma(vec4<f32>(b.x), x0, b0));
                if (SLAB_COLUMNS > 1u) {
                    let x1 = kv_tile[x + column_1];
                    let y1 = kv_tile[y + column_1];
                    a1 = fma(vec4<f32>(a.y), y1, fma(vec4<f32>(a.x), x1, a1));
                    b1 = fma(vec4<f32>(b.y), y1, fma(vec4<f32>(b.x), x1, b1));
                }
                if (slab == 0u) {
                    sum_a += a.x + a.y;
                    sum_b += b.x + b.y;
                }
            }
            if (SLAB_COLUMNS > 1u) {
                out_a[o + SLAB_COLUMNS - 1u] = a1;
                out_b[o + SLAB_COLUMNS - 1u] = b1;
            }
            out_a[o] = a0;
            out_b[o] = b0;
            workgroupBarrier();
        }
    }

    let partial_a = (index * KV_HEADS + kv_head) * BQ + 2u * ty;
    let head_a = kv_head * HEADS_PER_KV + flat_a % HEADS_PER_KV;
    let head_b = kv_head * HEADS_PER_KV + flat_b % HEADS_PER_KV;
    let at_a = (token_first + flat_a / HEADS_PER_KV) * OUT_STRIDE + head_a * HEAD_DIM;
    let at_b = (token_first + flat_b / HEADS_PER_KV) * OUT_STRIDE + head_b * HEAD_DIM;
    for (var o = 0u; o < OUT_COLUMNS; o++) {
        let in_slab = tx + (o % SLAB_COLUMNS) * TX;
        let c = (o / SLAB_COLUMNS) * SLAB + in_slab;
        if (in_slab < SLAB && c < COLUMNS) {
            if (keeps_partial(flags)) {
                partial_column(partial_a, c, out_a[o]);
                partial_column(partial_a + 1u, c, out_b[o]);
            } else {
                if (flat_a < flat_rows) { store(at_a, c, select(vec4<f32>(0.0), out_a[o] / max(sum_a, 1.0e-30), sum_a > 0.0)); }
                if (flat_b < flat_rows) { store(at_b, c, select(vec4<f32>(0.0), out_b[o] / max(sum_b, 1.0e-30), sum_b > 0.0)); }
            }
        }
    }
    if (keeps_partial(flags) && tx == 0u) {
        partial_column(partial_a, COLUMNS, vec4<f32>(max_a, sum_a, 0.0, 0.0));
        partial_column(partial_a + 1u, COLUMNS, vec4<f32>(max_b, sum_b, 0.0, 0.0));
    }
}
