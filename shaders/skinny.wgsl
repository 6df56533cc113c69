// y[m][n] = Σ_k W[n][k]·x[m][k] for some rows of x: a weight is turned into a float once for ROWS of them.
//
// A group of LANES invocations owns TILE consecutive rows of W: each takes every LANES-th share of K of all of them, EACH units, with ROWS
// rows of x, so that both are read seldom, and holds TILE·ROWS sums. Where the group adds up, each invocation ends with a share of them.
// A workgroup holds WORKGROUP / LANES groups, which share what is read of x where it is STAGED; workgroup_id.z counts groups of ROWS
// rows of x. What a turn multiplies is read while the one before it multiplies.
//! include: step weights fold
//! slot ends: ends_pairs ends_heads
//! slot share: share_unit share_pair
//! slot added: added_none added_lora
//! const ROWS: u32       rows of x that the weights are read once for, a multiple of 4
//! const QUADS: u32      fours of them
//! const N: u32          rows of this piece of W
//! const K: u32          columns of W
//! const X_STRIDE: u32   floats from one row of x to the next
//! const STRIPS: u32     strips of 32 weights in a row
//! const M_WORD: u32     the step's word with the number of rows
//! const WORKGROUP: u32  invocations of a workgroup
//! const LANES: u32      invocations that share rows of W
//! const EACH: u32       units that each takes at once: 1 or 2
//! const TILE: u32       rows of W that such a group owns, an even number
//! const SUMS: u32       TILE·ROWS
//! const SPANS: u32      how often a subgroup's part of a group is halved
//! const HELD: u32       vec4s of x that an invocation stages a turn at most: ROWS·LANES·EACH·2 / WORKGROUP, rounded up
//! const STARTS: u32     rows of x whose beginnings an invocation knows: HELD, or ROWS
//! const STAGED: bool    x goes through workgroup memory, as it must with NORM
//! const FOLDS: u32      how often a subgroup's part of a row's squares is halved
//! const NORM: bool      x goes through RMSNorm first
//! const EPS: f32        the norm's
//! const GATHER: bool    row m of x is the token of output m
const COLUMNS: u32 = 4u;
const HALF: u32 = 2u;                // halves of a unit
const QUARTER: u32 = SUMS / 4u;
const PART: u32 = 1u << SPANS;       // lanes of a group in one subgroup
const PARTS: u32 = LANES / PART;
const SHARED: u32 = WORKGROUP / PART * SUMS * u32(PARTS > 1u) + 1u;
var<workgroup> parts: array<f32, SHARED>;

const SHARES: u32 = STRIPS * 4u / EACH;
const TURNS: u32 = (SHARES + LANES - 1u) / LANES;
const WIDTH: u32 = LANES * EACH * 2u; // vec4s of a row of x that a turn takes
const PLACES: u32 = ROWS * WIDTH;
const PITCH: u32 = LANES + EACH - 1u; // of those that stand together, so that they are written to as many banks as they are read from
const STAGE: u32 = ROWS * EACH * 2u * PITCH;
const STAGES: u32 = select(1u, STAGE * 2u, STAGED);
var<workgroup> stage: array<vec4<f32>, STAGES>;

const SQUARES: u32 = PLACES >> FOLDS;
var<workgroup> squares: array<f32, SQUARES>;

// rms gives 1/rms of the m-th row.
fn rms(m: u32) -> f32 {
    if !NORM {
        return 1.0;
    }
    var sum = 0.0;
    for (var i = 0u; i < (WIDTH >> FOLDS); i++) {
        sum += squares[m * (WIDTH >> FOLDS) + i];
    }
    return inverseSqrt(sum / f32(K) + EPS);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let lane = lid % LANES;
    let first = ((wid.y * FOLD + wid.x) * (WORKGROUP / LANES) + lid / LANES) * TILE;
    let rows = step[M_WORD];
    let m0 = wid.z * ROWS;

    table_start(lid);
    var ahead: array<Share, TILE>;
    var bits: array<Bits, TILE>;
    //! unroll
    for (var t = 0u; t < TILE; t++) {
        let share = min(lane, SHARES - 1u);
        ahead[t] = share_at(weight_row(first, t), share);
        bits[t] = bits_at(weight_row(first, t), share * EACH / 4u);
    }
    var starts: array<u32, STARTS>;
    var held: array<vec4<f32>, HELD>;
    var factor: array<vec4<f32>, HELD>; // the norm's
    var square: array<f32, HELD>;
    //! unroll
    for (var i = 0u; i < STARTS; i++) {
        var row = i;
        if STAGED {
            row = (lid + i * WORKGROUP) / WIDTH;
        }
        row = min(m0 + row, max(rows, 1u) - 1u);
        if GATHER {
            row = step[output_at(row)];
        }
        starts[i] = row * (X_STRIDE / 4u);
    }
    if STAGED {
        //! unroll
        for (var i = 0u; i < HELD; i++) {
            let at = min((lid + i * WORKGROUP) % WIDTH, STRIPS * 8u - 1u);
            held[i] = x[starts[i] + at];
            if NORM {
                factor[i] = norm[at];
            }
        }
    }
    var added = added_ahead(first, lane, m0, rows); // by adapters, while weights are on their way
    var sums: array<vec4<f32>, QUARTER>; // each of a row of W with four of x
    for (var turn = 0u; turn < TURNS; turn++) {
        let buffer = turn % 2u * STAGE;
        if STAGED {
            //! unroll
            for (var i = 0u; i < HELD; i++) {
                let place = lid + i * WORKGROUP;
                let at = place % WIDTH;
                var v = held[i];
                if SHARES % LANES != 0u && turn * WIDTH + at >= STRIPS * 8u {
                    v = vec4<f32>();
                }
                if NORM {
                    square[i] += dot(v, v);
                    v *= factor[i];
                }
                // What invocations read at once stands together: low halves of their first units, then of the second, then the high ones.
                if PLACES % WORKGROUP == 0u || place < PLACES {
                    let unit = at / 8u * 4u + at % 4u;
                    stage[buffer + ((place / WIDTH * 2u + at / 4u % 2u) * EACH + unit % EACH) * PITCH + unit / EACH] = v;
                }
            }
            workgroupBarrier();
            let next = min(turn + 1u, TURNS - 1u);
            //! unroll
            for (var i = 0u; i < HELD; i++) {
                let at = min(next * WIDTH + (lid + i * WORKGROUP) % WIDTH, STRIPS * 8u - 1u);
                held[i] = x[starts[i] + at];
                if NORM {
                    factor[i] = norm[at];
                }
            }
        }
        let unit = min(turn * LANES + lane, SHARES - 1u) * EACH;
        let at = unit / 4u * 8u + unit % 4u;
        var shares: array<Share, TILE>;
        var scale: array<Scale, TILE>;
        let next = min(min(turn + 1u, TURNS - 1u) * LANES + lane, SHARES - 1u);
        //! unroll
        for (var t = 0u; t < TILE; t++) {
            shares[t] = ahead[t];
            scale[t] = scale_of(bits[t], unit / 4u);
            ahead[t] = share_at(weight_row(first, t), next);
            bits[t] = bits_at(weight_row(first, t), next * EACH / 4u);
        }
        let beyond = !STAGED && SHARES % LANES != 0u && turn * LANES + lane >= SHARES;
        //! unroll
        for (var j = 0u; j < EACH; j++) {
            //! unroll
            for (var h = 0u; h < HALF; h++) { // low, then high
                var v: array<vec4<f32>, ROWS>;
                //! unroll
                for (var m = 0u; m < ROWS; m++) {
                    if STAGED {
                        v[m] = stage[buffer + ((m * 2u + h) * EACH + j) * PITCH + lane];
                    } else {
                        v[m] = x[starts[m % STARTS] + at + j + h * 4u];
                    }
                }
                if beyond {
                    v = array<vec4<f32>, ROWS>();
                }
                //! unroll
                for (var t = 0u; t < TILE; t++) {
                    var w: vec4<f32>;
                    if h == 0u {
                        w = weights_low(share_unit(shares[t], j), scale[t]);
                    } else {
                        w = weights_high(share_unit(shares[t], j), scale[t]);
                    }
                    //! unroll
                    for (var c = 0u; c < COLUMNS; c++) {
                        //! unroll
                        for (var q = 0u; q < QUADS; q++) {
                            sums[t * QUADS + q] = fma(vec4<f32>(w[c]), vec4<f32>(v[q * 4u][c], v[q * 4u + 1u][c], v[q * 4u + 2u][c], v[q * 4u + 3u][c]), sums[t * QUADS + q]);
                        }
                    }
                }
            }
        }
    }
    if NORM {
        //! unroll
        for (var i = 0u; i < HELD; i++) {
            for (var s = 0u; s < FOLDS; s++) {
                square[i] += subgroupShuffleXor(square[i], 1u << s);
            }
            if lid % (1u << FOLDS) == 0u && (PLACES % WORKGROUP == 0u || lid + i * WORKGROUP < PLACES) {
                squares[(lid + i * WORKGROUP) >> FOLDS] = square[i];
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
    var place = 0u; // of the sums that stay with the invocation
    var mine = true;
    //! unroll
    for (var s = 0u; s < SPANS; s++) {
        let upper = (lane >> s) % 2u == 1u;
        if (SUMS >> (s + 1u)) >= GRAIN {
            for (var i = 0u; i < (SUMS >> (s + 1u)); i++) {
                let a = done[i];
                let b = done[i + (SUMS >> (s + 1u))];
                done[i] = select(a, b, upper) + subgroupShuffleXor(select(b, a, upper), 1u << s);
            }
            place += select(0u, SUMS >> (s + 1u), upper);
        } else {
            for (var i = 0u; i < GRAIN; i++) {
                done[i] += subgroupShuffleXor(done[i], 1u << s);
            }
            mine = mine && !upper;
        }
    }
    if PARTS > 1u {
        let group = lid / LANES * PARTS;
        if mine {
            for (var i = 0u; i < max(SUMS >> SPANS, GRAIN); i++) {
                parts[(group + lane / PART) * SUMS + place + i] = done[i];
            }
        }
        workgroupBarrier();
        //! turns: (SUMS / GRAIN + LANES - 1u) / LANES
        for (var grain = lane; grain < SUMS / GRAIN; grain += LANES) {
            var r = vec4<f32>();
            for (var p = 0u; p < PARTS; p++) {
                for (var i = 0u; i < GRAIN; i++) {
                    r[i] += parts[(group + p) * SUMS + grain * GRAIN + i];
                }
            }
            store_sums(grain, first, m0, rows, with_added(r, &added, grain / LANES));
        }
    } else if mine {
        for (var i = 0u; i < max(SUMS >> SPANS, GRAIN); i += GRAIN) {
            var r = vec4<f32>();
            for (var j = 0u; j < GRAIN; j++) {
                r[j] = done[i + j];
            }
            store_sums((place + i) / GRAIN, first, m0, rows, with_added(r, &added, i / GRAIN));
        }
    }
}

// store_sums stores what comes of a grain: of sums of GRAIN rows of W with one of x.
fn store_sums(grain: u32, first: u32, m0: u32, rows: u32, sums: vec4<f32>) {
    let m = m0 + grain % ROWS;
    let n = first + grain / ROWS * GRAIN;
    if m < rows && n < N {
        end(sums, rms(grain % ROWS), m, n, look_ahead(m, n));
    }
}
