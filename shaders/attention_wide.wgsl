// Flash attention for large GPUs (FlashAttention-2, arXiv 2307.08691, algorithm 1), laid out as a matrix product: what bounds
// it there is how many reads of workgroup memory a multiply-add takes. A workgroup of 16 × 16 owns BQ = 64·RG flat query
// rows of one KV head and walks keys in tiles of 64; invocation (tx, ty) has the scores of 4·RG rows and four keys, and of
// the output the same rows and the columns tx, tx+16, … of four elements.
//
// Q and K go through workgroup memory in slabs of DEPTH elements of the head dim, transposed, four rows or keys to a vector,
// and P through the same memory once they are used; V in pieces of VK keys beside it. Places are exchanged so that
// neighbouring invocations store to different banks.
// include: step
// include: keys
// include: kv
// include: q
// include: sight
// include: score
// include: mask
// include: dropout
// include: rows
// include: lse
// include: item
// include: key_rows

@group(0) @binding(1) var<storage, read> q: array<QUnit>;
@group(0) @binding(2) var<storage, read> k_cache: array<KvUnit>;
@group(0) @binding(3) var<storage, read> v_cache: array<KvUnit>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

const THREADS: u32 = 256u;
const TX: u32 = 16u;
const QUADS: u32 = 16u * RG;            // of query rows
const BQ: u32 = 4u * QUADS;
const BK: u32 = 64u;
const PARTS: u32 = DEPTH / 4u;          // columns of a slab
const SLABS: u32 = (COLUMNS + PARTS - 1u) / PARTS;
const PIECES: u32 = BK / VK;
const K_AT: u32 = DEPTH * QUADS;        // of a slab of K in stage
const STAGE: u32 = BK * QUADS;          // P; Q and K take less
const VALUES: u32 = VK * COLUMNS;
const OUTS: u32 = 4u * RG * RC;

var<workgroup> stage: array<vec4<f32>, STAGE>;
var<workgroup> values: array<vec4<f32>, VALUES>;

// stage_slab stages a slab of Q and K: an invocation reads four rows of one column, and stores their four elements.
fn stage_slab(item: Item, keys: Keys, tile: i32, slab: u32, lane: u32) {
    let part = lane % PARTS;
    let c = slab * PARTS + part;
    for (var quad = lane / PARTS; quad < QUADS; quad += THREADS / PARTS) {
        let flat = item.first + 4u * quad;
        let x = transpose(mat4x4<f32>(q_row(item, flat, c), q_row(item, flat + 1u, c), q_row(item, flat + 2u, c), q_row(item, flat + 3u, c)));
        let at = part * (4u * QUADS) + (quad ^ part);
        stage[at] = x[0];
        stage[at + QUADS] = x[1];
        stage[at + 2u * QUADS] = x[2];
        stage[at + 3u * QUADS] = x[3];
    }
    for (var quad = lane / PARTS; quad < 16u; quad += THREADS / PARTS) {
        let key = tile + i32(4u * quad);
        let x = transpose(mat4x4<f32>(k_loaded(item, keys, key, c), k_loaded(item, keys, key + 1, c), k_loaded(item, keys, key + 2, c),
            k_loaded(item, keys, key + 3, c)));
        let at = K_AT + part * 64u + (quad ^ part);
        stage[at] = x[0];
        stage[at + 16u] = x[1];
        stage[at + 32u] = x[2];
        stage[at + 48u] = x[3];
    }
}

fn stage_piece(item: Item, keys: Keys, tile: i32, piece: u32, lane: u32) {
    for (var i = lane; i < VALUES; i += THREADS) {
        values[i] = v_loaded(item, keys, tile + i32(piece * VK + i / COLUMNS), i % COLUMNS);
    }
}

// weight_at is the place of the weights of four rows and a key.
fn weight_at(key: u32, quad: u32) -> u32 { return key * QUADS + (quad ^ (key / 4u % 8u)); }

@compute @workgroup_size(16, 16, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let index = group.z * FOLD + group.x;
    if (index >= step[ITEMS_WORD]) { return; }
    let tx = local.x;
    let ty = local.y;
    let lane = ty * 16u + tx;
    let item = item_at(index, group.y);
    let keys = keys_seen(item);
    let first_row = item.first + ty * (4u * RG);

    var maximum: array<vec4<f32>, RG>;
    for (var g = 0u; g < RG; g++) { maximum[g] = vec4<f32>(NONE); }
    var sum: array<vec4<f32>, RG>;
    var sums: array<vec4<f32>, OUTS>; // the output: [RG][RC][row]

    for (var tile = keys.begin; tile < keys.highest; tile += i32(BK)) {
        if (WINDOW > 0u && tile >= i32(SINKS)) { tile = max(tile, keys.window_tile); }
        if (tile >= keys.highest) { break; }
        if (hides(item, keys, tile)) { continue; }

        var s = array<array<vec4<f32>, 4>, RG>(); // [RG][key], of four rows
        stage_piece(item, keys, tile, 0u, lane);
        for (var slab = 0u; slab < SLABS; slab++) {
            if (slab > 0u) { workgroupBarrier(); }
            stage_slab(item, keys, tile, slab, lane);
            workgroupBarrier();
            for (var d = 0u; d < DEPTH; d++) {
                let k = stage[K_AT + d * 16u + (tx ^ (d / 4u))];
                for (var g = 0u; g < RG; g++) {
                    let x = stage[d * QUADS + ((ty * RG + g) ^ (d / 4u))];
                    s[g][0] = fma(x, vec4<f32>(k.x), s[g][0]);
                    s[g][1] = fma(x, vec4<f32>(k.y), s[g][1]);
                    s[g][2] = fma(x, vec4<f32>(k.z), s[g][2]);
                    s[g][3] = fma(x, vec4<f32>(k.w), s[g][3]);
                }
            }
        }

        let plain = SOFTCAP == 0.0 && !ALIBI && all_seen(item, keys, tile);
        var now = maximum;
        for (var g = 0u; g < RG; g++) {
            for (var j = 0u; j < 4u; j++) {
                var x = s[g][j] * SCALE;
                if (!plain) {
                    let key = tile + i32(4u * tx + j);
                    var y = x;
                    for (var r = 0u; r < 4u; r++) { y[r] = shown(item, first_row + 4u * g + r, key, x[r]); }
                    x = y;
                }
                s[g][j] = x;
                now[g] = max(now[g], x);
            }
        }
        rows_max(&now, tx, ty);
        for (var g = 0u; g < RG; g++) {
            let scale = rescale(maximum[g], now[g]);
            maximum[g] = now[g];
            var total = sum[g] * scale;
            for (var j = 0u; j < 4u; j++) {
                var p = weight(s[g][j], now[g]);
                total += p;
                if (DROP_BELOW > 0u) {
                    let key = tile + i32(4u * tx + j);
                    var factors: vec4<f32>;
                    for (var r = 0u; r < 4u; r++) { factors[r] = kept(item, first_row + 4u * g + r, key); }
                    p *= factors;
                }
                stage[weight_at(4u * tx + j, ty * RG + g)] = p;
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

        for (var piece = 0u; piece < PIECES; piece++) {
            if (piece > 0u) { stage_piece(item, keys, tile, piece, lane); }
            workgroupBarrier();
            for (var v = 0u; v < VK; v++) {
                var p: array<vec4<f32>, RG>;
                for (var g = 0u; g < RG; g++) { p[g] = stage[weight_at(piece * VK + v, ty * RG + g)]; }
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
    }
    rows_sum(&sum, tx, ty);

    // Copies, indexed by what no compiler may unroll, leave what is above in registers.
    var done = sums;
    var total = sum;
    var top = maximum;
    for (var r = 0u; r < 4u * RG; r++) {
        let flat = first_row + r;
        if (flat >= item.rows) { break; }
        let l = total[r / 4u][r % 4u];
        for (var c = 0u; c < RC; c++) {
            let column = tx + c * 16u;
            if (column < COLUMNS) { finish(item, flat, column, done[4u * ((r / 4u) * RC + c) + r % 4u], l); }
        }
        if (tx == 0u) { finish_lse(item, flat, top[r / 4u][r % 4u], l); }
    }
}
