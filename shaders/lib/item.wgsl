// An item of attention: a tile of a sequence's query rows, of all query heads that share a KV head, and the keys that it
// sees. A flat query row is query · HEADS_PER_KV + head.
//! include: step sight score mask dropout none
//! const HEAD_DIM: u32      elements of a head
//! const ITEMS_WORD: u32    the step's word with the number of items
//! const HEADS_PER_KV: u32  query heads that share a KV head
//! const CAUSAL: bool       a query sees no key behind its own position
//! const WINDOW: u32        a query sees keys less than so far away; 0: all
//! const SINKS: u32         first keys that stay in sight under a window
//! const MASK: u32          kind of mask: 0 none, 1 boolean, 2 additive
//! const OUT_STRIDE: u32    words from one token's output to the next
//! const KV_HEADS: u32      KV heads
//! const BQ: u32            query rows of a tile
//! const BK: u32            keys of a tile
const COLUMNS: u32 = (HEAD_DIM + 3u) / 4u; // of four elements
const WHOLE: u32 = 0x80000000u;            // mark of an item that sees all its rows' keys

struct Item {
    row: u32,
    kv_head: u32,
    flags: u32,
    first: u32,   // of the sequence's flat query rows
    rows: u32,    // that the sequence has
    token: u32,   // the sequence's first
    keys_at: u32, // see kv_at
    start: i32,   // position of the sequence's first query
    begin: i32,   // keys of the item: [begin, end)
    end: i32,
    mask: u32,
    to: u32,      // its first partial result
}

fn item_at(index: u32, kv_head: u32) -> Item {
    var word = DECODE_ITEMS_AT + index * ITEM_WORDS;
    if ITEMS_WORD != STEP_DECODE_ITEMS {
        word = step[ITEMS_WORD + 1u] + index * ITEM_WORDS;
    }
    var item: Item;
    item.row = step[word];
    item.kv_head = kv_head;
    item.flags = step[word + 1u] & WHOLE;
    item.first = step[word + 1u] & ~WHOLE;
    item.token = step[word + 5u];
    item.rows = step[word + 6u] * HEADS_PER_KV;
    item.start = bitcast<i32>(step[word + 7u]);
    item.keys_at = keys_from(item.row, step[word + 8u]);
    item.begin = bitcast<i32>(step[word + 2u]);
    item.end = bitcast<i32>(step[word + 3u]);
    item.mask = mask_of(item.row);
    item.to = step[word + 4u];
    return item;
}

fn query_of(flat: u32) -> u32 { return flat / HEADS_PER_KV; }
fn head_of(item: Item, flat: u32) -> u32 { return item.kv_head * HEADS_PER_KV + flat % HEADS_PER_KV; }

// Keys are those that at least one row of the tile sees: [lowest, highest), and the sinks.
struct Keys {
    lowest: i32,
    highest: i32,
    end: i32,         // of what this launch walks
    begin: i32,       // of the first tile
    window_tile: i32, // where the tile begins that holds lowest
    first_position: i32,
    last_position: i32,
    last_query: u32,
}

fn keys_seen(item: Item) -> Keys {
    var keys: Keys;
    keys.first_position = item.start + i32(query_of(item.first));
    keys.last_query = query_of(min(item.first + BQ, item.rows) - 1u);
    keys.last_position = item.start + i32(keys.last_query);
    keys.highest = item.end;
    if CAUSAL {
        keys.highest = min(keys.highest, keys.last_position + 1);
    }
    if WINDOW > 0u && !CAUSAL {
        keys.highest = min(keys.highest, max(keys.last_position + i32(WINDOW), min(i32(SINKS), item.end)));
    }
    keys.end = keys.highest;
    keys.lowest = item.begin;
    if WINDOW > 0u {
        keys.lowest = max(keys.lowest, keys.first_position - i32(WINDOW) + 1);
    }
    keys.window_tile = item.begin + ((keys.lowest - item.begin) / i32(BK)) * i32(BK);
    keys.begin = keys.window_tile;
    if WINDOW > 0u && item.begin < i32(SINKS) {
        keys.begin = item.begin;
    }
    return keys;
}

// loaded tells whether some row may see a key, so that it is read.
fn loaded(keys: Keys, key: i32) -> bool { return key < keys.highest && (key >= keys.lowest || key < i32(SINKS)); }

// all_seen tells whether every row sees every key of a tile as it is.
fn all_seen(item: Item, keys: Keys, tile: i32) -> bool {
    let end = tile + i32(BK);
    let all = (MASK == 0u || item.mask == 0u) && end <= item.end && (!CAUSAL || end <= keys.first_position + 1);
    if WINDOW == 0u || end <= i32(SINKS) {
        return all;
    }
    return all && tile > keys.last_position - i32(WINDOW) && (CAUSAL || end <= keys.first_position + i32(WINDOW));
}

// hides tells whether the mask hides a tile from all rows.
fn hides(item: Item, keys: Keys, tile: i32) -> bool {
    if MASK == 0u || item.mask == 0u {
        return false;
    }
    let end = u32(max(min(tile + i32(BK), keys.highest), 0));
    let heads = select(HEADS_PER_KV, 1u, step[item.mask] == 1u);
    //! turns: HEADS_PER_KV
    for (var h = 0u; h < heads; h++) {
        //! turns: BQ / HEADS_PER_KV / MASK_BLOCK + 2u
        for (var query = query_of(item.first) / MASK_BLOCK; query <= keys.last_query / MASK_BLOCK; query++) {
            //! turns: BK / MASK_BLOCK + 1u
            for (var key = u32(tile) / MASK_BLOCK; key * MASK_BLOCK < end; key++) {
                let entry = mask_entry(item.mask, item.kv_head * HEADS_PER_KV + h, query * MASK_BLOCK, key * MASK_BLOCK);
                if entry != MASK_HIDDEN {
                    return false;
                }
            }
        }
    }
    return true;
}

// next_tile gives the first tile from tile on that some row may see, or one from keys.end on.
fn next_tile(item: Item, keys: Keys, tile: i32) -> i32 {
    var t = tile;
    // Of all calls together there are no more turns than tiles.
    //! turns: 1u
    while t < keys.end {
        if WINDOW > 0u && t >= i32(SINKS) {
            t = max(t, keys.window_tile);
        }
        if t >= keys.end || !hides(item, keys, t) {
            break;
        }
        t += i32(BK);
    }
    return t;
}

// last_seen gives the last key that four rows see where nothing but causality hides keys.
fn last_seen(item: Item, flat: u32) -> vec4<i32> {
    var last = vec4<i32>(item.end - 1);
    if CAUSAL {
        for (var r = 0u; r < 4u; r++) { last[r] = min(last[r], item.start + i32(query_of(min(flat + r, item.rows - 1u)))); }
    }
    return last;
}

// shown gives a scaled score with what is done to scores, or NONE where the query row does not see the key.
fn shown(item: Item, flat: u32, key: i32, scaled: f32) -> f32 {
    let query = query_of(min(flat, item.rows - 1u));
    let position = item.start + i32(query);
    if key >= item.end || !in_sight(position, key) {
        return NONE;
    }
    let head = head_of(item, flat);
    if !mask_sees(item.mask, head, query, u32(key)) {
        return NONE;
    }
    return capped(scaled) + alibi(alibi_slope(head), position, key) + mask_adds(item.mask, head, query, u32(key));
}

// kept is the factor of dropout.
fn kept(item: Item, flat: u32, key: i32) -> f32 {
    return dropout_factor(item.row, head_of(item, flat), query_of(flat), u32(key));
}

// q_row gives a column of a query row, 0 where there is none.
fn q_row(item: Item, flat: u32, c: u32) -> vec4<f32> {
    let there = min(flat, item.rows - 1u);
    let x = q_column(item.token + query_of(there), head_of(item, there), min(c, COLUMNS - 1u));
    return select(vec4<f32>(0.0), x, flat < item.rows && c < COLUMNS);
}

// rescale is what a row's state is multiplied by when its maximum moves; exactly 1 where it does not.
fn rescale(before: vec4<f32>, now: vec4<f32>) -> vec4<f32> {
    return select(exp(min(before - now, vec4<f32>(0.0))), vec4<f32>(1.0), before == now);
}

fn weight(score: vec4<f32>, maximum: vec4<f32>) -> vec4<f32> {
    return select(vec4<f32>(0.0), exp(min(score - maximum, vec4<f32>(0.0))), score > vec4<f32>(NONE));
}

// store writes one column of a finished query row.
fn store(at: u32, c: u32, x: vec4<f32>) {
    let e = 4u * c;
    out[at + e] = x.x;
    if e + 1u < HEAD_DIM {
        out[at + e + 1u] = x.y;
    }
    if e + 2u < HEAD_DIM {
        out[at + e + 2u] = x.z;
    }
    if e + 3u < HEAD_DIM {
        out[at + e + 3u] = x.w;
    }
}

// finish writes one column of a query row with the sum of its weights.
fn finish(item: Item, flat: u32, c: u32, x: vec4<f32>, l: f32) {
    let at = (item.token + query_of(flat)) * OUT_STRIDE + head_of(item, flat) * HEAD_DIM;
    store(at, c, select(vec4<f32>(0.0), x / max(l, 1.0e-30), l > 0.0));
}

fn finish_lse(item: Item, flat: u32, top: f32, l: f32) {
    keep_lse((item.token + query_of(flat)) * (KV_HEADS * HEADS_PER_KV) + head_of(item, flat), top, l);
}
