// Decode's walk over keys where each of the invocations that share a key has all its scores and weights.
//! include: item score mask dropout
//! const KEYS: u32        keys that a group takes at a time
//! const ROWS: u32        query rows of a workgroup
//! const EARLY: bool      the first keys have been read
//! const GROUPS: u32      groups of a workgroup
//! const BK: u32          keys of a tile
//! const LANES: u32       invocations that share a key
//! const SCALE: f32       of q·k
//! const SOFTCAP: f32     bound of scores; 0: none
//! const ALIBI: bool      scores fall with distance
//! const DROP_BELOW: u32  a draw below it drops a weight; 0: no dropout
//! most TILES: u32        tiles that a launch walks
const SCORES: u32 = KEYS * ROWS;

fn walk(item: Item, keys: Keys, lane: u32, group: u32, first_lane: u32, queries: ptr<function, array<Eight, ROWS>>,
    k: ptr<function, array<Raw, KEYS>>, v: ptr<function, array<Raw, KEYS>>, maximum: ptr<function, array<f32, ROWS>>, sum: ptr<function, array<f32, ROWS>>, sums: ptr<function, array<Eight, ROWS>>) {
    for (var r = 0u; r < ROWS; r++) { (*maximum)[r] = NONE; }
    //! turns: TILES
    for (var tile = next_tile(item, keys, keys.begin); tile < keys.highest; tile = next_tile(item, keys, tile + i32(BK))) {
        if !EARLY || tile != keys.begin {
            fetch(item, keys, tile, lane, group, k, v);
        }
        for (var n = 0u; n < KEYS; n++) {
            if !loaded(keys, tile + i32(n * GROUPS + group)) {
                (*k)[n] = Raw();
                (*v)[n] = Raw();
            }
        }
        // The scores S = Q·K, and what hides and bends them.
        var s: array<f32, SCORES>;
        for (var n = 0u; n < KEYS; n++) {
            let x = opened((*k)[n]);
            for (var r = 0u; r < ROWS; r++) { s[n * ROWS + r] = dot((*queries)[r].low, x.low) + dot((*queries)[r].high, x.high); }
        }
        for (var span = 1u; span < LANES; span *= 2u) {
            for (var i = 0u; i < SCORES; i++) { s[i] += subgroupShuffleXor(s[i], span); }
        }
        let plain = SOFTCAP == 0.0 && !ALIBI && all_seen(item, keys, tile);
        for (var n = 0u; n < KEYS; n++) {
            let key = tile + i32(n * GROUPS + group);
            for (var r = 0u; r < ROWS; r++) {
                var x = s[n * ROWS + r] * SCALE;
                if !plain {
                    x = shown(item, item.first + r, key, x);
                }
                s[n * ROWS + r] = x;
            }
        }
        // The rows' maxima, and the state so far in terms of them.
        for (var r = 0u; r < ROWS; r++) {
            var now = (*maximum)[r];
            for (var n = 0u; n < KEYS; n++) { now = max(now, s[n * ROWS + r]); }
            let scale = rescaled((*maximum)[r], now);
            (*maximum)[r] = now;
            (*sum)[r] *= scale;
            (*sums)[r].low *= scale;
            (*sums)[r].high *= scale;
        }
        // The weights P, and the output O += P·V.
        for (var n = 0u; n < KEYS; n++) {
            let x = opened((*v)[n]);
            for (var r = 0u; r < ROWS; r++) {
                var p = weighed(s[n * ROWS + r], (*maximum)[r]);
                (*sum)[r] += p;
                if DROP_BELOW > 0u {
                    p *= kept(item, item.first + r, tile + i32(n * GROUPS + group));
                }
                (*sums)[r].low = fma(vec4<f32>(p), x.low, (*sums)[r].low);
                (*sums)[r].high = fma(vec4<f32>(p), x.high, (*sums)[r].high);
            }
        }
    }
}
