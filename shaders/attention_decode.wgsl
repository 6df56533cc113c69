// Flash attention for few query rows (Flash-Decoding). K and V go from memory straight to registers, each element once:
// LANES neighbouring invocations share a key, eight elements each, and add up its scores by exchange. Such a group walks
// keys of its own, KEYS at a time, with an online softmax of its own; the groups are merged at the end, in one order.
//! include: step sight score mask dropout item fold
//! slot keys: keys_blocks keys_rows
//! slot q: q_f32 q_f32x4 q_f16 q_bf16
//! slot eight: eight_any eight_f16 eight_bf16
//! slot lse: lse_none lse_keep
//! slot finish: attention_whole attention_split
//! slot walk: decode_each decode_spread
//! slot order: none order_far order_near
//! const SUBGROUP: u32    invocations that surely share a subgroup
//! const LANES: u32       invocations that share a key
//! const KEYS: u32        keys that such a group takes at a time
//! const ROWS: u32        query rows of a workgroup
//! const ITEM_TILES: u32  workgroups that share an item's query rows
//! const EARLY: bool      the first keys are read before the queries
//! const WORKGROUP: u32   invocations of a workgroup
//! const ITEMS_WORD: u32  the step's word with the number of items

@group(0) @binding(1) var<storage, read> q: array<QUnit>;
@group(0) @binding(2) var<storage, read> k_cache: array<KvUnit>;
@group(0) @binding(3) var<storage, read> v_cache: array<KvUnit>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

const GROUPS: u32 = WORKGROUP / LANES;
const SUBGROUPS: u32 = WORKGROUP / SUBGROUP;
const BQ: u32 = ROWS;
const ITEM_ROWS: u32 = ITEM_TILES * ROWS;
const BK: u32 = GROUPS * KEYS;
const FINISH_TURNS: u32 = (ROWS * LANES * 2u + WORKGROUP - 1u) / WORKGROUP;
const STATES: u32 = SUBGROUPS * ROWS;
const OUTS: u32 = SUBGROUPS * ROWS * LANES * 2u;

var<workgroup> states: array<vec2<f32>, STATES>; // [subgroup][row]: maximum and sum
var<workgroup> outs: array<vec4<f32>, OUTS>;     // [subgroup][row][column]

// Eight are eight neighbouring elements of a row.
struct Eight { low: vec4<f32>, high: vec4<f32> }

fn rescaled(before: f32, now: f32) -> f32 { return rescale(vec4<f32>(before), vec4<f32>(now)).x; }
fn weighed(score: f32, maximum: f32) -> f32 { return weight(vec4<f32>(score), vec4<f32>(maximum)).x; }

// fetch reads a group's K and V of a tile, both under way at once.
fn fetch(item: Item, keys: Keys, tile: i32, lane: u32, group: u32, k: ptr<function, array<Raw, KEYS>>, v: ptr<function, array<Raw, KEYS>>) {
    //! unroll
    for (var n = 0u; n < KEYS; n++) {
        let key = tile + i32(n * GROUPS + group);
        let at = kv_at(item.keys_at, item.kv_head, u32(min(key, keys.highest - 1)));
        (*k)[n] = k_raw(at, lane);
        (*v)[n] = v_raw(at, lane);
    }
}

// join_groups merges the states of a subgroup's groups.
fn join_groups(maximum: ptr<function, array<f32, ROWS>>, sum: ptr<function, array<f32, ROWS>>, sums: ptr<function, array<Eight, ROWS>>) {
    for (var level = 0u; level < 7u; level++) {
        let span = LANES << level;
        if span < SUBGROUP {
            for (var r = 0u; r < ROWS; r++) {
                let now = max((*maximum)[r], subgroupShuffleXor((*maximum)[r], span));
                let scale = rescaled((*maximum)[r], now);
                (*maximum)[r] = now;
                (*sum)[r] *= scale;
                (*sum)[r] += subgroupShuffleXor((*sum)[r], span);
                (*sums)[r].low *= scale;
                (*sums)[r].low += subgroupShuffleXor((*sums)[r].low, span);
                (*sums)[r].high *= scale;
                (*sums)[r].high += subgroupShuffleXor((*sums)[r].high, span);
            }
        }
    }
}

// finish_rows merges what the subgroups have in workgroup memory and writes the rows.
fn finish_rows(item: Item, local: u32) {
    for (var turn = 0u; turn < FINISH_TURNS; turn++) {
        let i = turn * WORKGROUP + local;
        let r = i / (LANES * 2u);
        if r >= ROWS {
            continue;
        }
        let c = i % (LANES * 2u);
        let flat = item.first + r;
        if flat >= item.rows || c >= COLUMNS {
            continue;
        }
        var top = NONE;
        for (var g = 0u; g < SUBGROUPS; g++) { top = max(top, states[g * ROWS + r].x); }
        var l = 0.0;
        var x = vec4<f32>(0.0);
        for (var g = 0u; g < SUBGROUPS; g++) {
            let scale = rescaled(states[g * ROWS + r].x, top);
            l = fma(states[g * ROWS + r].y, scale, l);
            x = fma(outs[(g * ROWS + r) * LANES * 2u + c], vec4<f32>(scale), x);
        }
        if keeps_partial(item.flags) {
            let partial = partial_at(item, flat);
            partial_column(partial, c, x);
            if c == 0u {
                partial_column(partial, COLUMNS, vec4<f32>(top, l, 0.0, 0.0));
            }
        } else {
            finish(item, flat, c, x, l);
            if c == 0u {
                finish_lse(item, flat, top, l);
            }
        }
    }
}

@compute @workgroup_size(WORKGROUP, 1, 1)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) subgroup_lane: u32) {
    let index = workgroup.z * FOLD + workgroup.y;
    var item = item_at(index, workgroup.x / ITEM_TILES); // on its way with the number of items
    if index >= step[ITEMS_WORD] {
        return;
    }
    item.first += workgroup.x % ITEM_TILES * ROWS;
    let lane = local % LANES;
    let group = local / LANES;
    let keys = keys_seen(item);

    var k: array<Raw, KEYS>;
    var v: array<Raw, KEYS>;
    if EARLY && keys.begin < keys.highest {
        fetch(item, keys, keys.begin, lane, group, &k, &v);
    }
    var queries: array<Eight, ROWS>;
    for (var r = 0u; r < ROWS; r++) {
        queries[r] = Eight(q_row(item, item.first + r, 2u * lane), q_row(item, item.first + r, 2u * lane + 1u));
    }

    var maximum: array<f32, ROWS>;
    var sum: array<f32, ROWS>;
    var sums: array<Eight, ROWS>;
    walk(item, keys, lane, group, subgroup_lane - lane, &queries, &k, &v, &maximum, &sum, &sums);

    // The groups of a subgroup by exchange, then the subgroups through workgroup memory.
    join_groups(&maximum, &sum, &sums);
    if local % SUBGROUP < LANES {
        for (var r = 0u; r < ROWS; r++) {
            let at = (local / SUBGROUP) * ROWS + r;
            if lane == 0u {
                states[at] = vec2<f32>(maximum[r], sum[r]);
            }
            outs[(at * LANES + lane) * 2u] = sums[r].low;
            outs[(at * LANES + lane) * 2u + 1u] = sums[r].high;
        }
    }
    workgroupBarrier();
    finish_rows(item, local);
}
