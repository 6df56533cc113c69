// Decode's walk over keys where the invocations that share a key share its scores and weights, too: the sums over the head dim
// come out in parts, OWN scores of one query row each, and weights go to the others by exchange. That is a third fewer
// instructions, which bound this on large GPUs.
//! include: item score mask dropout
//! const KEYS: u32        keys that a group takes at a time
//! const ROWS: u32        query rows of a workgroup
//! const EARLY: bool      the first keys have been read
//! const GROUPS: u32      groups of a workgroup
//! const BK: u32          keys of a tile
//! const LANES: u32       invocations that share a key
//! const SCORES: u32      scores of a group
//! const HALF: u32        half of them
//! const LEVELS: u32      halvings that leave an invocation its own
//! const OWN: u32         how many those are
//! const SCALE: f32       of q·k
//! const SOFTCAP: f32     bound of scores; 0: none
//! const ALIBI: bool      scores fall with distance
//! const DROP_BELOW: u32  a draw below it drops a weight; 0: no dropout
//! const WINDOW: u32      a query sees keys less than so far away; 0: all
//! const SINKS: u32       first keys that stay in sight under a window
//! most TILES: u32        tiles that a launch walks
const ROW_LANES: u32 = LANES / ROWS; // invocations with scores of one row

// tile_loaded tells whether all keys of a tile are read.
fn tile_loaded(keys: Keys, tile: i32) -> bool {
    return tile + i32(BK) <= keys.highest && (WINDOW == 0u || tile >= keys.lowest || tile + i32(BK) <= i32(SINKS));
}

fn walk(item: Item, keys: Keys, lane: u32, group: u32, first_lane: u32, queries: ptr<function, array<Eight, ROWS>>,
    k: ptr<function, array<Raw, KEYS>>, v: ptr<function, array<Raw, KEYS>>, maximum: ptr<function, array<f32, ROWS>>, sum: ptr<function, array<f32, ROWS>>, sums: ptr<function, array<Eight, ROWS>>) {
    let row = part(lane) / ROW_LANES;
    let own_key = (part(lane) % ROW_LANES) * OWN;
    var top = NONE;
    var total = 0.0;
    //! turns: TILES
    for (var tile = next_tile(item, keys, keys.begin); tile < keys.highest; tile = next_tile(item, keys, tile + i32(BK))) {
        if !EARLY || tile != keys.begin {
            fetch(item, keys, tile, lane, group, k, v);
        }
        if !tile_loaded(keys, tile) {
            //! unroll
            for (var n = 0u; n < KEYS; n++) {
                if !loaded(keys, tile + i32(n * GROUPS + group)) {
                    (*k)[n] = Raw();
                    (*v)[n] = Raw();
                }
            }
        }
        // The scores S = Q·K: of each row the keys, first in parts, then whole ones of fewer.
        var s: array<f32, SCORES>;
        //! unroll
        for (var n = 0u; n < KEYS; n++) {
            let x = opened((*k)[n]);
            //! unroll
            for (var r = 0u; r < ROWS; r++) {
                s[r * KEYS + n] = dot((*queries)[r].low, x.low) + dot((*queries)[r].high, x.high);
            }
        }
        //! unroll
        for (var level = 0u; level < LEVELS; level++) {
            let upper = (lane & half_span(level)) != 0u;
            //! unroll
            for (var i = 0u; i < HALF; i++) {
                if i < (SCORES >> (level + 1u)) {
                    let low = s[i];
                    let high = s[i + (SCORES >> (level + 1u))];
                    s[i] = select(low, high, upper) + swapped(select(high, low, upper), half_span(level));
                }
            }
        }
        // What hides and bends them, the row's maximum, and the state so far in terms of it.
        let plain = SOFTCAP == 0.0 && !ALIBI && all_seen(item, keys, tile);
        var now = top;
        //! unroll
        for (var i = 0u; i < OWN; i++) {
            var x = s[i] * SCALE;
            if !plain {
                x = shown(item, item.first + row, tile + i32((own_key + i) * GROUPS + group), x);
            }
            s[i] = x;
            now = max(now, x);
        }
        for (var level = 0u; level < 6u; level++) {
            if (1u << level) < ROW_LANES {
                now = max(now, swapped(now, row_span(level)));
            }
        }
        let scale = rescaled(top, now);
        top = now;
        total *= scale;
        //! unroll
        for (var i = 0u; i < OWN; i++) {
            var p = weighed(s[i], now);
            total += p;
            if DROP_BELOW > 0u {
                p *= kept(item, item.first + row, tile + i32((own_key + i) * GROUPS + group));
            }
            s[i] = p;
        }
        //! unroll
        for (var r = 0u; r < ROWS; r++) {
            let factor = subgroupShuffle(scale, first_lane + part(r * ROW_LANES));
            (*sums)[r].low *= factor;
            (*sums)[r].high *= factor;
        }
        // The output O += P·V.
        //! unroll
        for (var n = 0u; n < KEYS; n++) {
            let x = opened((*v)[n]);
            //! unroll
            for (var r = 0u; r < ROWS; r++) {
                let p = vec4<f32>(subgroupShuffle(s[(r * KEYS + n) % OWN], first_lane + part((r * KEYS + n) / OWN)));
                (*sums)[r].low = fma(p, x.low, (*sums)[r].low);
                (*sums)[r].high = fma(p, x.high, (*sums)[r].high);
            }
        }
    }
    for (var level = 0u; level < 6u; level++) {
        if (1u << level) < ROW_LANES {
            total += swapped(total, row_span(level));
        }
    }
    for (var r = 0u; r < ROWS; r++) {
        (*maximum)[r] = subgroupShuffle(top, first_lane + part(r * ROW_LANES));
        (*sum)[r] = subgroupShuffle(total, first_lane + part(r * ROW_LANES));
    }
}
