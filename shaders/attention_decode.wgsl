// Flash attention for few query rows (Flash-Decoding). K and V go from memory straight to registers, each element once:
// LANES neighbouring invocations share a key, eight elements each, and add up its scores by exchange. Such a group walks
// keys of its own, KEYS at a time, with an online softmax of its own; the groups are merged at the end, in one order.
// include: step
// include: keys
// include: q
// include: sight
// include: score
// include: mask
// include: dropout
// include: eight
// include: lse
// include: finish

@group(0) @binding(1) var<storage, read> q: array<QUnit>;
@group(0) @binding(2) var<storage, read> k_cache: array<KvUnit>;
@group(0) @binding(3) var<storage, read> v_cache: array<KvUnit>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

const COLUMNS: u32 = (HEAD_DIM + 3u) / 4u; // of four elements
const GROUPS: u32 = WORKGROUP / LANES;
const SUBGROUPS: u32 = WORKGROUP / SUBGROUP;
const SCORES: u32 = KEYS * ROWS;
const BQ: u32 = ROWS;
const STATES: u32 = SUBGROUPS * ROWS;
const OUTS: u32 = SUBGROUPS * ROWS * LANES * 2u;
const FOLD: u32 = 65535u;                  // items along a dispatch's x
const DIRECT: u32 = 0x80000000u;           // mark of an item that sees all its rows' keys
const NONE: f32 = -3.0e38;                 // score of a key out of sight, maximum of a row that has seen nothing

var<workgroup> states: array<vec2<f32>, STATES>; // [subgroup][row]: maximum and sum
var<workgroup> outs: array<vec4<f32>, OUTS>;     // [subgroup][row][column]

// Eight are eight neighbouring elements of a row.
struct Eight { low: vec4<f32>, high: vec4<f32> }

struct Item {
    row: u32,
    kv_head: u32,
    first: u32,   // of the sequence's flat query rows
    rows: u32,    // that the sequence has
    keys_at: u32, // see kv_row
    start: i32,
    begin: i32,   // keys of the item: [begin, end)
    end: i32,
    lowest: i32,  // first key inside the window of some row
    mask: u32,
}

fn query_of(flat: u32) -> u32 { return flat / HEADS_PER_KV; }
fn head_of(item: Item, flat: u32) -> u32 { return item.kv_head * HEADS_PER_KV + flat % HEADS_PER_KV; }

fn loaded(item: Item, key: i32) -> bool {
    return key < item.end && (WINDOW == 0u || key >= item.lowest || key < i32(SINKS));
}

// score_of gives what a scaled product becomes, or NONE where the query row does not see the key.
fn score_of(item: Item, flat: u32, key: i32, product: f32) -> f32 {
    let query = query_of(min(flat, item.rows - 1u));
    let position = item.start + i32(query);
    if (key >= item.end || !in_sight(position, key)) { return NONE; }
    let head = head_of(item, flat);
    if (!mask_sees(item.mask, head, query, u32(key))) { return NONE; }
    return capped(product) + alibi(alibi_slope(head), position, key) + mask_adds(item.mask, head, query, u32(key));
}

// rescale is what a state is multiplied by when its maximum moves; exactly 1 where it does not.
fn rescale(before: f32, now: f32) -> f32 { return select(exp(min(before - now, 0.0)), 1.0, before == now); }
fn weight(score: f32, maximum: f32) -> f32 { return select(0.0, exp(min(score - maximum, 0.0)), score > NONE); }

fn store(at: u32, c: u32, x: vec4<f32>) {
    let e = 4u * c;
    out[at + e] = x.x;
    if (e + 1u < HEAD_DIM) { out[at + e + 1u] = x.y; }
    if (e + 2u < HEAD_DIM) { out[at + e + 2u] = x.z; }
    if (e + 3u < HEAD_DIM) { out[at + e + 3u] = x.w; }
}

@compute @workgroup_size(WORKGROUP, 1, 1)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let index = workgroup.z * FOLD + workgroup.x;
    if (index >= step[ITEMS_WORD]) { return; }
    let lane = local % LANES;
    let group = local / LANES;

    let word = step[ITEMS_WORD + 1u] + index * ITEM_WORDS;
    let flags = step[word + 1u] & DIRECT;
    var item: Item;
    item.row = step[word];
    item.kv_head = workgroup.y;
    item.first = step[word + 1u] & ~DIRECT;
    item.rows = row_count(item.row) * HEADS_PER_KV;
    item.keys_at = keys_of(item.row);
    item.start = bitcast<i32>(row_start(item.row));
    item.begin = bitcast<i32>(step[word + 2u]);
    item.end = max(item.begin, bitcast<i32>(step[word + 3u]));
    item.lowest = item.begin;
    item.mask = mask_of(item.row);
    let token = row_first(item.row);
    let last_position = item.start + i32(query_of(min(item.first + ROWS, item.rows) - 1u));
    if (CAUSAL) { item.end = max(item.begin, min(item.end, last_position + 1)); }
    if (WINDOW > 0u) { item.lowest = max(item.begin, item.start + i32(query_of(item.first)) - i32(WINDOW) + 1); }

    var queries: array<Eight, ROWS>;
    for (var r = 0u; r < ROWS; r++) {
        let flat = min(item.first + r, item.rows - 1u);
        let x = q_column(token + query_of(flat), head_of(item, flat), min(2u * lane, COLUMNS - 1u));
        let y = q_column(token + query_of(flat), head_of(item, flat), min(2u * lane + 1u, COLUMNS - 1u));
        queries[r].low = select(vec4<f32>(0.0), x, 2u * lane < COLUMNS);
        queries[r].high = select(vec4<f32>(0.0), y, 2u * lane + 1u < COLUMNS);
    }

    var maximum: array<f32, ROWS>;
    var sum: array<f32, ROWS>;
    var sums: array<Eight, ROWS>;
    for (var r = 0u; r < ROWS; r++) { maximum[r] = NONE; }
    // Whether every row sees all of the item's keys as they are.
    let plain = MASK == 0u && WINDOW == 0u && SOFTCAP == 0.0 && !ALIBI
        && (!CAUSAL || item.end <= item.start + i32(query_of(item.first)) + 1);

    for (var tile = item.begin; tile < item.end; tile += i32(GROUPS * KEYS)) {
        if (WINDOW > 0u && tile >= i32(SINKS)) { tile = max(tile, item.lowest); }
        if (tile >= item.end) { break; }
        var k: array<Raw, KEYS>;
        var v: array<Raw, KEYS>;
        for (var n = 0u; n < KEYS; n++) {
            let key = tile + i32(n * GROUPS + group);
            let row = kv_row(item.keys_at, item.kv_head, u32(min(key, item.end - 1)));
            k[n] = k_raw(row, lane);
            v[n] = v_raw(row, lane);
            if (!loaded(item, key)) {
                k[n] = Raw();
                v[n] = Raw();
            }
        }
        var s: array<f32, SCORES>;
        for (var n = 0u; n < KEYS; n++) {
            let x = opened(k[n]);
            for (var r = 0u; r < ROWS; r++) { s[n * ROWS + r] = dot(queries[r].low, x.low) + dot(queries[r].high, x.high); }
        }
        for (var span = 1u; span < LANES; span *= 2u) {
            for (var i = 0u; i < SCORES; i++) { s[i] += subgroupShuffleXor(s[i], span); }
        }
        for (var n = 0u; n < KEYS; n++) {
            let key = tile + i32(n * GROUPS + group);
            for (var r = 0u; r < ROWS; r++) {
                var x = s[n * ROWS + r] * SCALE;
                if (plain) { x = select(NONE, x, key < item.end); } else { x = score_of(item, item.first + r, key, x); }
                s[n * ROWS + r] = x;
            }
        }
        for (var r = 0u; r < ROWS; r++) {
            var now = maximum[r];
            for (var n = 0u; n < KEYS; n++) { now = max(now, s[n * ROWS + r]); }
            let scale = rescale(maximum[r], now);
            maximum[r] = now;
            sum[r] *= scale;
            sums[r].low *= scale;
            sums[r].high *= scale;
        }
        for (var n = 0u; n < KEYS; n++) {
            let x = opened(v[n]);
            for (var r = 0u; r < ROWS; r++) {
                var p = weight(s[n * ROWS + r], maximum[r]);
                sum[r] += p;
                if (DROP_BELOW > 0u) {
                    let flat = item.first + r;
                    p *= dropout_factor(item.row, head_of(item, flat), query_of(flat), u32(tile) + n * GROUPS + group);
                }
                sums[r].low = fma(vec4<f32>(p), x.low, sums[r].low);
                sums[r].high = fma(vec4<f32>(p), x.high, sums[r].high);
            }
        }
    }

    // The groups of a subgroup by exchange, then the subgroups through workgroup memory.
    for (var span = LANES; span < SUBGROUP; span *= 2u) {
        for (var r = 0u; r < ROWS; r++) {
            let now = max(maximum[r], subgroupShuffleXor(maximum[r], span));
            let scale = rescale(maximum[r], now);
            maximum[r] = now;
            sum[r] *= scale;
            sum[r] += subgroupShuffleXor(sum[r], span);
            sums[r].low *= scale;
            sums[r].low += subgroupShuffleXor(sums[r].low, span);
            sums[r].high *= scale;
            sums[r].high += subgroupShuffleXor(sums[r].high, span);
        }
    }
    if (local % SUBGROUP < LANES) {
        for (var r = 0u; r < ROWS; r++) {
            let at = (local / SUBGROUP) * ROWS + r;
            if (lane == 0u) { states[at] = vec2<f32>(maximum[r], sum[r]); }
            outs[(at * LANES + lane) * 2u] = sums[r].low;
            outs[(at * LANES + lane) * 2u + 1u] = sums[r].high;
        }
    }
    workgroupBarrier();
    for (var i = local; i < ROWS * LANES * 2u; i += WORKGROUP) {
        let r = i / (LANES * 2u);
        let c = i % (LANES * 2u);
        let flat = item.first + r;
        if (flat >= item.rows || c >= COLUMNS) { continue; }
        var top = NONE;
        for (var g = 0u; g < SUBGROUPS; g++) { top = max(top, states[g * ROWS + r].x); }
        var l = 0.0;
        var x = vec4<f32>(0.0);
        for (var g = 0u; g < SUBGROUPS; g++) {
            let scale = rescale(states[g * ROWS + r].x, top);
            l = fma(states[g * ROWS + r].y, scale, l);
            x = fma(outs[(g * ROWS + r) * LANES * 2u + c], vec4<f32>(scale), x);
        }
        let to = token + query_of(flat);
        let head = head_of(item, flat);
        if (keeps_partial(flags)) {
            let partial = (index * KV_HEADS + item.kv_head) * BQ + r;
            partial_column(partial, c, x);
            if (c == 0u) { partial_column(partial, COLUMNS, vec4<f32>(top, l, 0.0, 0.0)); }
        } else {
            store(to * OUT_STRIDE + head * HEAD_DIM, c, select(vec4<f32>(0.0), x / max(l, 1.0e-30), l > 0.0));
            if (c == 0u) { keep_lse(to * (KV_HEADS * HEADS_PER_KV) + head, top, l); }
        }
    }
}
