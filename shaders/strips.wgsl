// y[m][n] = Σ_k W[n][k]·x[m][k] for a few rows of x, with factors in f16: the products of 16 columns are summed in f16,
// pairs of rows at once, and two such sums added; all else is in f32. A library of factors shrinks x, and undoes it in the sum.
//
// Groups of LANES invocations own TILE rows of W, of which each takes every LANES-th strip; workgroup_id.z counts groups of ROWS rows of x.
// x is staged in workgroup memory four rows to a vec4, CHUNK strips at a time, so that few turns wait for each other. What a turn multiplies is
// read while the one before it multiplies.
//! include: step weights fold
//! slot ends: ends_pairs ends_heads
//! slot share: share_strip
//! slot factors: factors_strips
//! slot added: added_none added_lora
//! const ROWS: u32       rows of x that a workgroup multiplies, a multiple of 4
//! const QUADS: u32      fours of them, one or two
//! const N: u32          rows of this piece of W
//! const K: u32          columns of W
//! const X_STRIDE: u32   floats from one row of x to the next
//! const STRIPS: u32     strips of 32 weights in a row
//! const M_WORD: u32     the step's word with the number of rows
//! const WORKGROUP: u32  invocations of a workgroup
//! const LANES: u32      invocations that share rows of W, all of one subgroup
//! const TILE: u32       rows of W that such a group owns, an even number
//! const SUMS: u32       TILE·ROWS
//! const CHUNK: u32      strips that are staged at once, a multiple of LANES·PARTS
//! const SPANS: u32      how often a group is halved
//! const GRAINS: u32      grains of sums that end in an invocation
//! const HELD: u32       fours of columns of four rows of x that an invocation stages at most
//! const PARTS: u32      parts of K: as many groups have the same rows of W, and the first of them adds up what they give
//! const ENDS: u32       sums that end in an invocation
//! const FOLDS: u32      how often a subgroup is halved
//! const NORM: bool      x goes through RMSNorm first
//! const EPS: f32        the norm's
//! const SHRINK: f32     factor of x in f16, a power of two
//! const GATHER: bool    row m of x is the token of output m
const COLUMNS: u32 = 4u;
const UNITS: u32 = 4u;
const HALF: u32 = 2u;
const QUARTER: u32 = SUMS / 4u;
const CHUNKS: u32 = (STRIPS + CHUNK - 1u) / CHUNK;
const RAGGED: bool = CHUNKS * CHUNK != STRIPS;
const STAGED: u32 = CHUNK * 8u;
const ALIKE: bool = STAGED % WORKGROUP == 0u;
const ALL_STAGE: bool = HELD * WORKGROUP == STAGED * QUADS;
const FELLOWS: u32 = WORKGROUP / PARTS; // invocations with the same part of K
const STRIDE: u32 = LANES * PARTS;
const TURNS: u32 = CHUNK / STRIDE;
const EIGHTS: u32 = QUADS * 8u;
const PITCH: u32 = CHUNK + 1u;
var<workgroup> stage: array<array<array<vec4<f16>, PITCH>, EIGHTS>, 4>;
const SUBGROUPS: u32 = WORKGROUP >> FOLDS;
const SQUARES: u32 = select(1u, ROWS * SUBGROUPS, NORM);
var<workgroup> squares: array<f32, SQUARES>;
const OTHERS: u32 = max(1u, (PARTS - 1u) * FELLOWS * ENDS);
var<workgroup> others: array<f32, OTHERS>;

// rms gives 1/rms of the m-th row.
fn rms(m: u32) -> f32 {
    if !NORM {
        return 1.0;
    }
    var sum = 0.0;
    for (var i = 0u; i < SUBGROUPS; i++) {
        sum += squares[m * SUBGROUPS + i];
    }
    return inverseSqrt(sum / f32(K) + EPS);
}

// shrunk keeps sums of 32 products in f16's range; what is no number stays none.
fn shrunk(x: vec4<f32>) -> vec4<f16> {
    let y = clamp(x * SHRINK, vec4<f32>(-MOST), vec4<f32>(MOST));
    return vec4<f16>(select(y, x, (bitcast<vec4<u32>>(x) & vec4<u32>(0x7F800000u)) == vec4<u32>(0x7F800000u)));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let lane = lid % LANES;
    let part = lid / FELLOWS;
    let slot = part * LANES + lane;
    let first = ((wid.y * FOLD + wid.x) * (FELLOWS / LANES) + lid % FELLOWS / LANES) * TILE;
    let rows = step[M_WORD]; // waited for where sums are stored: until then rows that are not there are multiplied, too
    let m0 = wid.z * ROWS;

    table_start(lid);
    var ahead: array<Share, TILE>;
    var bits: array<Bits, TILE>;
    //! unroll
    for (var t = 0u; t < TILE; t++) {
        let share = min(slot, STRIPS - 1u);
        ahead[t] = share_at(weight_row(first, t), share);
        bits[t] = bits_at(weight_row(first, t), share);
    }
    var starts: array<vec4<u32>, QUADS>;
    //! unroll
    for (var q = 0u; q < QUADS; q++) {
        //! unroll
        for (var c = 0u; c < COLUMNS; c++) {
            var row = m0 + q * 4u + c;
            if GATHER {
                row = step[output_at(min(row, max(rows, 1u) - 1u))];
            }
            starts[q][c] = row * (X_STRIDE / 4u);
        }
    }
    // Of the sums of a group, those from place on end in an invocation, which stores them if they are its own.
    var place = 0u;
    var mine = true;
    //! unroll
    for (var s = 0u; s < SPANS; s++) {
        let upper = (lane >> s) % 2u == 1u;
        if (SUMS >> (s + 1u)) >= GRAIN {
            place += select(0u, SUMS >> (s + 1u), upper);
        } else {
            mine = mine && !upper;
        }
    }
    var later: array<Ahead, GRAINS>;
    //! unroll
    for (var i = 0u; i < GRAINS; i++) {
        let grain = place / GRAIN + i;
        later[i] = look_ahead(m0 + grain % ROWS, first + grain / ROWS * GRAIN);
    }
    var added = added_ahead(first, lane, m0, rows); // by adapters
    var square: array<vec4<f32>, QUADS>;
    var sums: array<vec4<f32>, QUARTER>; // each of a row of W with four of x
    for (var chunk = 0u; chunk < CHUNKS; chunk++) {
        workgroupBarrier();
        //! unroll
        for (var i = 0u; i < HELD; i++) {
            let item = lid + i * WORKGROUP;
            let four = select(item / STAGED, i * WORKGROUP / STAGED, ALIKE);
            let at = select(item % STAGED, lid + i * WORKGROUP % STAGED, ALIKE);
            if ALL_STAGE || item < STAGED * QUADS {
                let strip = chunk * CHUNK + at / 8u;
                let column = min(strip, STRIPS - 1u) * 8u + at % 8u;
                var start = starts[0];
                if QUADS > 1u && four > 0u {
                    start = starts[QUADS - 1u];
                }
                var rows4 = mat4x4<f32>(x[start.x + column], x[start.y + column], x[start.z + column], x[start.w + column]);
                if RAGGED && strip >= STRIPS {
                    rows4 = mat4x4<f32>();
                }
                if NORM {
                    let own = vec4<f32>(dot(rows4[0], rows4[0]), dot(rows4[1], rows4[1]), dot(rows4[2], rows4[2]), dot(rows4[3], rows4[3]));
                    if QUADS > 1u && four > 0u {
                        square[QUADS - 1u] += own;
                    } else {
                        square[0] += own;
                    }
                    let factor = norm[column];
                    rows4 = mat4x4<f32>(rows4[0] * factor, rows4[1] * factor, rows4[2] * factor, rows4[3] * factor);
                }
                rows4 = transpose(rows4);
                //! unroll
                for (var c = 0u; c < COLUMNS; c++) {
                    stage[at % 4u][four * 8u + at % 8u / 4u * 4u + c][at / 8u] = shrunk(rows4[c]);
                }
            }
        }
        workgroupBarrier();
        for (var turn = 0u; turn < TURNS; turn++) {
            let at = turn * STRIDE + slot;
            let strip = min(chunk * CHUNK + at, STRIPS - 1u);
            let next = min(chunk * CHUNK + at + STRIDE, STRIPS - 1u);
            var shares: array<Share, TILE>;
            var scale: array<Scale, TILE>;
            //! unroll
            for (var t = 0u; t < TILE; t++) {
                shares[t] = ahead[t];
                scale[t] = scale_of(bits[t], strip);
                ahead[t] = share_at(weight_row(first, t), next);
                bits[t] = bits_at(weight_row(first, t), next);
            }
            var few = array<vec4<f16>, QUARTER>();
            var first_half = array<vec4<f16>, QUARTER>();
            //! unroll
            for (var j = 0u; j < UNITS; j++) {
                var own: array<Factors, TILE>;
                //! unroll
                for (var t = 0u; t < TILE; t++) {
                    own[t] = factors(share_unit(shares[t], j));
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
                            let v = stage[j][q * 8u + h * 4u + c][at];
                            //! unroll
                            for (var t = 0u; t < TILE; t++) {
                                few[t * QUADS + q] = fma(vec4<f16>(w[t][c]), v, few[t * QUADS + q]);
                            }
                        }
                    }
                }
                if j == 1u {
                    //! unroll
                    for (var t = 0u; t < TILE; t++) {
                        //! unroll
                        for (var q = 0u; q < QUADS; q++) {
                            first_half[t * QUADS + q] = few[t * QUADS + q];
                            few[t * QUADS + q] = vec4<f16>();
                        }
                    }
                }
            }
            //! unroll
            for (var t = 0u; t < TILE; t++) {
                //! unroll
                for (var q = 0u; q < QUADS; q++) {
                    sums[t * QUADS + q] = factors_added(first_half[t * QUADS + q] + few[t * QUADS + q], scale[t], sums[t * QUADS + q]);
                }
            }
        }
    }
    if NORM {
        //! unroll
        for (var q = 0u; q < QUADS; q++) {
            for (var s = 0u; s < FOLDS; s++) {
                square[q] += subgroupShuffleXor(square[q], 1u << s);
            }
            if lid % (1u << FOLDS) == 0u {
                //! unroll
                for (var c = 0u; c < COLUMNS; c++) {
                    squares[(q * 4u + c) * SUBGROUPS + (lid >> FOLDS)] = square[q][c];
                }
            }
        }
        workgroupBarrier();
    }

    // A copy, which drivers may index as they like, leaves the sums above in registers.
    var done: array<f32, SUMS>;
    //! unroll
    for (var t = 0u; t < TILE; t++) {
        //! unroll
        for (var q = 0u; q < QUADS; q++) {
            //! unroll
            for (var i = 0u; i < COLUMNS; i++) {
                done[(t / GRAIN * ROWS + q * 4u + i) * GRAIN + t % GRAIN] = sums[t * QUADS + q][i];
            }
        }
    }
    // Halved again and again: an invocation keeps one half, and gives the other to its neighbour for that neighbour's half.
    //! unroll
    for (var s = 0u; s < SPANS; s++) {
        let upper = (lane >> s) % 2u == 1u;
        if (SUMS >> (s + 1u)) >= GRAIN {
            for (var i = 0u; i < (SUMS >> (s + 1u)); i++) {
                let a = done[i];
                let b = done[i + (SUMS >> (s + 1u))];
                done[i] = select(a, b, upper) + subgroupShuffleXor(select(b, a, upper), 1u << s);
            }
        } else {
            for (var i = 0u; i < GRAIN; i++) {
                done[i] += subgroupShuffleXor(done[i], 1u << s);
            }
        }
    }
    if PARTS > 1u {
        if part > 0u {
            //! unroll
            for (var i = 0u; i < ENDS; i++) {
                others[((part - 1u) * ENDS + i) * FELLOWS + lid % FELLOWS] = done[i];
            }
        }
        workgroupBarrier();
        if part > 0u {
            return;
        }
        //! unroll
        for (var i = 0u; i < ENDS; i++) {
            for (var p = 0u; p < PARTS - 1u; p++) {
                done[i] += others[(p * ENDS + i) * FELLOWS + lid];
            }
        }
    }
    //! unroll
    for (var i = 0u; i < GRAINS; i++) {
        var r = vec4<f32>();
        for (var j = 0u; j < GRAIN; j++) {
            r[j] = done[i * GRAIN + j];
        }
        let grain = place / GRAIN + i;
        let m = m0 + grain % ROWS;
        let n = first + grain / ROWS * GRAIN;
        if mine && m < rows && n < N {
            end(with_added(r, &added, i), rms(grain % ROWS), m, n, later[i]);
        }
    }
}
