// y[m][n] = Σ_k W[n][k]·x[m][k] for some rows of x: a weight is turned into a float once for ROWS of them.
//
// A group of LANES invocations owns TILE consecutive rows of W: each takes every LANES-th unit of K of all of them, with ROWS rows
// of x, so that both are read seldom, and holds TILE·ROWS sums. Where the group adds up, each invocation ends with a share of them.
// A workgroup holds WORKGROUP / LANES groups; workgroup_id.z counts groups of ROWS rows of x.
//! include: step weights fold store_pair
//! const ROWS: u32       rows of x that the weights are read once for
//! const N: u32          rows of this piece of W
//! const FIRST: u32      the first of them in W
//! const X_STRIDE: u32   floats from one row of x to the next
//! const STRIPS: u32     strips of 32 weights in a row
//! const M_WORD: u32     the step's word with the number of rows
//! const WORKGROUP: u32  invocations of a workgroup
//! const LANES: u32      invocations that share rows of W
//! const TILE: u32       rows of W that such a group owns, an even number
//! const SUMS: u32       TILE·ROWS
//! const SPANS: u32      how often a subgroup's part of a group is halved
//! const GATHER: bool    row m of x is the token of output m
@group(0) @binding(3) var<storage, read> x: array<vec4<f32>>;

const PART: u32 = 1u << SPANS;       // lanes of a group in one subgroup
const PARTS: u32 = LANES / PART;
const SHARED: u32 = WORKGROUP / PART * SUMS * u32(PARTS > 1u) + 1u;
var<workgroup> parts: array<f32, SHARED>;

// store_sums stores the pair of sums number pair: of two rows of W with one of x.
fn store_sums(pair: u32, first: u32, m0: u32, rows: u32, fours: u32, a: f32, b: f32) {
    let m = m0 + pair % ROWS;
    let n = first + pair / ROWS * 2u;
    if m < rows && n < N {
        store_pair(a, b, m, n, FIRST, fours);
    }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let lane = lid % LANES;
    let first = ((wid.y * FOLD + wid.x) * (WORKGROUP / LANES) + lid / LANES) * TILE;
    let rows = step[M_WORD];
    let m0 = wid.z * ROWS;

    table_start(lid);
    var starts: array<u32, ROWS>;
    //! unroll
    for (var m = 0u; m < ROWS; m++) {
        var row = min(m0 + m, max(rows, 1u) - 1u);
        if GATHER {
            row = step[output_at(row)];
        }
        starts[m] = row * (X_STRIDE / 4u);
    }
    var sums: array<f32, SUMS>;
    for (var unit = lane; unit < STRIPS * 4u; unit += LANES) {
        let at = unit / 4u * 8u + unit % 4u;
        var units: array<Unit, TILE>;
        var scale: array<Scale, TILE>;
        //! unroll
        for (var t = 0u; t < TILE; t++) {
            units[t] = unit_at(min(first + t, N - 1u), unit);
            scale[t] = scale_at(min(first + t, N - 1u), unit / 4u);
        }
        var v: array<vec4<f32>, ROWS>;
        //! unroll
        for (var m = 0u; m < ROWS; m++) {
            v[m] = x[starts[m] + at];
        }
        //! unroll
        for (var t = 0u; t < TILE; t++) {
            let w = weights_low(units[t], scale[t]);
            //! unroll
            for (var m = 0u; m < ROWS; m++) {
                sums[(t / 2u * ROWS + m) * 2u + t % 2u] = fma(w.x, v[m].x, fma(w.y, v[m].y, fma(w.z, v[m].z, fma(w.w, v[m].w, sums[(t / 2u * ROWS + m) * 2u + t % 2u]))));
            }
        }
        //! unroll
        for (var m = 0u; m < ROWS; m++) {
            v[m] = x[starts[m] + at + 4u];
        }
        //! unroll
        for (var t = 0u; t < TILE; t++) {
            let w = weights_high(units[t], scale[t]);
            //! unroll
            for (var m = 0u; m < ROWS; m++) {
                sums[(t / 2u * ROWS + m) * 2u + t % 2u] = fma(w.x, v[m].x, fma(w.y, v[m].y, fma(w.z, v[m].z, fma(w.w, v[m].w, sums[(t / 2u * ROWS + m) * 2u + t % 2u]))));
            }
        }
    }

    // A copy, which drivers may index as they like, leaves the sums above in registers.
    var done = sums;
    // Halved again and again: an invocation keeps one half, and gives the other to its neighbour for that neighbour's half.
    var place = 0u; // of the sums that stay with the invocation
    var mine = true;
    //! unroll
    for (var s = 0u; s < SPANS; s++) {
        let upper = (lane >> s) % 2u == 1u;
        if (SUMS >> (s + 1u)) >= 2u {
            for (var i = 0u; i < (SUMS >> (s + 1u)); i++) {
                let a = done[i];
                let b = done[i + (SUMS >> (s + 1u))];
                done[i] = select(a, b, upper) + subgroupShuffleXor(select(b, a, upper), 1u << s);
            }
            place += select(0u, SUMS >> (s + 1u), upper);
        } else {
            done[0] += subgroupShuffleXor(done[0], 1u << s);
            done[1] += subgroupShuffleXor(done[1], 1u << s);
            mine = mine && !upper;
        }
    }
    let fours = adapter_fours();
    if PARTS > 1u {
        let group = lid / LANES * PARTS;
        if mine {
            for (var i = 0u; i < max(SUMS >> SPANS, 2u); i++) {
                parts[(group + lane / PART) * SUMS + place + i] = done[i];
            }
        }
        workgroupBarrier();
        //! turns: (SUMS / 2u + LANES - 1u) / LANES
        for (var pair = lane; pair < SUMS / 2u; pair += LANES) {
            var a = 0.0;
            var b = 0.0;
            for (var p = 0u; p < PARTS; p++) {
                a += parts[(group + p) * SUMS + pair * 2u];
                b += parts[(group + p) * SUMS + pair * 2u + 1u];
            }
            store_sums(pair, first, m0, rows, fours, a, b);
        }
    } else if mine {
        for (var i = 0u; i < max(SUMS >> SPANS, 2u); i += 2u) {
            store_sums((place + i) / 2u, first, m0, rows, fours, done[i], done[i + 1u]);
        }
    }
}
