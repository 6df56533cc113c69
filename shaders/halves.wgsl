// y[m][n] = Σ_k W[n][k]·x[m][k] for some rows of x, as skinny.wgsl does it, with factors in f16: the products of a unit's eight columns are
// summed in f16, pairs of rows at once, and all else in f32. A library of factors shrinks x, and undoes it in the sum.
//
// Groups of LANES invocations own TILE rows of W, and FELLOWS groups the same; workgroup_id.z counts groups of ROWS rows of x, and of each
// the PARTS of K. x is staged in workgroup memory four rows to a vec4. What a turn multiplies is read while the one before it multiplies.
//! include: step weights fold
//! slot ends: ends_pairs
//! slot share: share_unit share_pair
//! slot factors: factors_weights factors_nibbles
//! slot adapters: adapters_none adapters_lora
//! const ROWS: u32       rows of x that a workgroup multiplies
//! const FELLOWS: u32    groups that share them
//! const OWN: u32        rows of x that an invocation reads weights once for: ROWS / FELLOWS, a multiple of 4
//! const QUADS: u32      fours of them
//! const N: u32          rows of this piece of W
//! const X_STRIDE: u32   floats from one row of x to the next
//! const STRIPS: u32     strips of 32 weights in a row
//! const M_WORD: u32     the step's word with the number of rows
//! const WORKGROUP: u32  invocations of a workgroup
//! const LANES: u32      invocations that share rows of W, all of one subgroup
//! const EACH: u32       units that each takes at once: 1 or 2
//! const TILE: u32       rows of W that such a group owns, an even number
//! const SUMS: u32       TILE·OWN
//! const PARTS: u32      of K that workgroups sum
//! const SPANS: u32      how often a group is halved
//! const HELD: u32       columns of four rows of x that an invocation stages a turn at most, in fours
//! const SOURCES: u32    4·HELD
//! const GATHER: bool    row m of x is the token of output m
const COLUMNS: u32 = 4u;
const HALF: u32 = 2u; // halves of a unit
const QUARTER: u32 = SUMS / 4u;

const SHARES: u32 = STRIPS * 4u / EACH;
const TURNS: u32 = (SHARES + LANES * PARTS - 1u) / (LANES * PARTS);
const RAGGED: bool = TURNS * LANES * PARTS != SHARES;
const WIDTH: u32 = LANES * EACH * 2u; // fours of columns that a turn takes
const PLACES: u32 = ROWS / 4u * WIDTH;
const ROW: u32 = WIDTH * 4u + select(0u, LANES, FELLOWS > 1u); // from one four of rows to the next
const STAGE: u32 = ROWS / 4u * ROW;
const STAGES: u32 = STAGE * 2u;
var<workgroup> stage: array<vec4<f16>, STAGES>;

// shrunk keeps x in f16's range before it is shrunk; what is no number stays none.
fn shrunk(x: vec4<f32>) -> vec4<f16> {
    let y = clamp(x, vec4<f32>(-65504.0), vec4<f32>(65504.0)) * SHRINK;
    return vec4<f16>(select(y, x, (bitcast<vec4<u32>>(x) & vec4<u32>(0x7F800000u)) == vec4<u32>(0x7F800000u)));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let lane = lid % LANES;
    let fellow = lid / LANES % FELLOWS;
    let first = ((wid.y * FOLD + wid.x) * (WORKGROUP / (LANES * FELLOWS)) + lid / (LANES * FELLOWS)) * TILE;
    let rows = step[M_WORD];
    let m0 = wid.z / PARTS * ROWS;
    let part = wid.z % PARTS;
    let begin = part * TURNS; // the part's first turn

    table_start(lid);
    var ahead: array<Share, TILE>;
    var bits: array<Bits, TILE>;
    //! unroll
    for (var t = 0u; t < TILE; t++) {
        let share = min(begin * LANES + lane, SHARES - 1u);
        ahead[t] = share_at(weight_row(first, t), share);
        bits[t] = bits_at(weight_row(first, t), share * EACH / 4u);
    }
    var starts: array<u32, SOURCES>;
    var held: array<vec4<f32>, SOURCES>;
    //! unroll
    for (var i = 0u; i < SOURCES; i++) {
        var row = min(m0 + (lid + i / 4u * WORKGROUP) / WIDTH * 4u + i % 4u, max(rows, 1u) - 1u);
        if GATHER {
            row = step[output_at(row)];
        }
        starts[i] = row * (X_STRIDE / 4u);
        held[i] = x[starts[i] + min(begin * WIDTH + (lid + i / 4u * WORKGROUP) % WIDTH, STRIPS * 8u - 1u)];
    }
    var sums: array<vec4<f32>, QUARTER>; // each of a row of W with four of x
    for (var nth = 0u; nth < TURNS; nth++) {
        let turn = begin + nth;
        let buffer = nth % 2u * STAGE;
        //! unroll
        for (var i = 0u; i < HELD; i++) {
            let place = lid + i * WORKGROUP;
            let at = place % WIDTH;
            var rows4 = mat4x4<f32>(held[i * 4u], held[i * 4u + 1u], held[i * 4u + 2u], held[i * 4u + 3u]);
            if RAGGED && turn * WIDTH + at >= STRIPS * 8u {
                rows4 = mat4x4<f32>();
            }
            rows4 = transpose(rows4);
            if PLACES % WORKGROUP == 0u || place < PLACES {
                let unit = at / 8u * 4u + at % 4u;
                let to = buffer + place / WIDTH * ROW + (at / 4u % 2u * EACH + unit % EACH) * (4u * LANES) + unit / EACH;
                //! unroll
                for (var c = 0u; c < COLUMNS; c++) {
                    stage[to + c * LANES] = shrunk(rows4[c]);
                }
            }
        }
        workgroupBarrier();
        let after = begin + min(nth + 1u, TURNS - 1u);
        //! unroll
        for (var i = 0u; i < SOURCES; i++) {
            held[i] = x[starts[i] + min(after * WIDTH + (lid + i / 4u * WORKGROUP) % WIDTH, STRIPS * 8u - 1u)];
        }
        let unit = min(turn * LANES + lane, SHARES - 1u) * EACH;
        var shares: array<Share, TILE>;
        var scale: array<Scale, TILE>;
        let next = min(after * LANES + lane, SHARES - 1u);
        //! unroll
        for (var t = 0u; t < TILE; t++) {
            shares[t] = ahead[t];
            scale[t] = scale_of(bits[t], unit / 4u);
            ahead[t] = share_at(weight_row(first, t), next);
            bits[t] = bits_at(weight_row(first, t), next * EACH / 4u);
        }
        //! unroll
        for (var j = 0u; j < EACH; j++) {
            var few = array<vec4<f16>, QUARTER>();
            var own: array<Factors, TILE>;
            //! unroll
            for (var t = 0u; t < TILE; t++) {
                own[t] = factors(share_unit(shares[t], j), scale[t]);
            }
            //! unroll
            for (var h = 0u; h < HALF; h++) { // low, then high
                var w: array<vec4<f16>, TILE>;
                //! unroll
                for (var t = 0u; t < TILE; t++) {
                    if h == 0u {
                        w[t] = own[t].low;
                    } else {
                        w[t] = own[t].high;
                    }
                }
                //! unroll
                for (var q = 0u; q < QUADS; q++) {
                    //! unroll
                    for (var c = 0u; c < COLUMNS; c++) {
                        let v = stage[buffer + (q * FELLOWS + fellow) * ROW + ((h * EACH + j) * 4u + c) * LANES + lane];
                        //! unroll
                        for (var t = 0u; t < TILE; t++) {
                            few[t * QUADS + q] = fma(vec4<f16>(w[t][c]), v, few[t * QUADS + q]);
                        }
                    }
                }
            }
            //! unroll
            for (var t = 0u; t < TILE; t++) {
                //! unroll
                for (var q = 0u; q < QUADS; q++) {
                    sums[t * QUADS + q] += factors_sum(few[t * QUADS + q], scale[t]);
                }
            }
        }
    }

    // A copy, which drivers may index as they like, leaves the sums above in registers.
    var done: array<f32, SUMS>;
    //! unroll
    for (var t = 0u; t < TILE; t++) {
        //! unroll
        for (var q = 0u; q < QUADS; q++) {
            //! unroll
            for (var i = 0u; i < COLUMNS; i++) {
                done[(t / GRAIN * OWN + q * 4u + i) * GRAIN + t % GRAIN] = sums[t * QUADS + q][i];
            }
        }
    }
    // Halved again and again: an invocation keeps one half, and gives the other to its neighbour for that neighbour's half.
    var place = 0u; // of the sums that stay with the invocation
    //! unroll
    for (var s = 0u; s < SPANS; s++) {
        let upper = (lane >> s) % 2u == 1u;
        for (var i = 0u; i < (SUMS >> (s + 1u)); i++) {
            let a = done[i];
            let b = done[i + (SUMS >> (s + 1u))];
            done[i] = select(a, b, upper) + subgroupShuffleXor(select(b, a, upper), 1u << s);
        }
        place += select(0u, SUMS >> (s + 1u), upper);
    }
    let fours = adapter_fours();
    for (var i = 0u; i < ((SUMS >> SPANS) / GRAIN); i++) {
        var r = vec4<f32>();
        for (var j = 0u; j < GRAIN; j++) {
            r[j] = done[i * GRAIN + j];
        }
        let grain = place / GRAIN + i;
        let m = m0 + (grain % OWN / 4u * FELLOWS + fellow) * 4u + grain % 4u;
        let n = first + grain / OWN * GRAIN;
        if m < rows && n < N {
            if ADAPTED {
                if fours > 0u {
                    r += end_adapted(m, n, fours);
                }
            }
            end(r, 1.0, part * rows + m, n, look_ahead(m, n));
        }
    }
}
