// y[m][n] = Σ_k W[n][k]·x[m][k] for few rows of x: the weights are read once for ROWS of them.
//
// A group of LANES invocations owns TILE consecutive rows of W: each invocation takes every LANES-th share of K of all of
// them, UNITS units of a strip, so that x is read once a tile, and the group adds up at the end. A workgroup holds WORKGROUP / LANES groups;
// workgroup_id.z counts groups of ROWS rows of x.
//! include: step weights fold
//! slot activation: activation_silu activation_gelu activation_gelu_erf activation_cap
//! slot reduce: reduce_workgroup reduce_subgroup
//! const ROWS: u32       rows of x that the weights are read once for
//! const N: u32          rows of this piece of W
//! const FIRST: u32      the first of them in W
//! const K: u32          columns of W
//! const STRIPS: u32     strips of 32 weights in a row
//! const X_STRIDE: u32   floats from one row of x to the next
//! const Y_STRIDE: u32   floats from one row of y to the next
//! const Y_OFFSET: u32   column of y where the piece's first row goes
//! const M_WORD: u32     the step's word with the number of rows
//! const WORKGROUP: u32  invocations of a workgroup
//! const LANES: u32      invocations that share rows of W
//! const TILE: u32       rows of W that such a group owns
//! const UNITS: u32      units that an invocation takes at once: 1 or 2, which share scales
//! const SUMS: u32       TILE·ROWS products, and with NORM as many sums of squares as ROWS
//! const EPS: f32        the norm's
//! const NORM: bool      x is multiplied by norm, and y by 1/rms of its row, which the same pass finds
//! const ADD: bool       y is added to
//! const GATHER: bool    row m of x is the token of output m
//! const BIAS: bool      bias[n] is added to the product; with GATED the gates' lie first
//! const UPS: u32        where the ups' begin
//! const SCALE: f32      factor of the sum
//! const ACTIVATED: bool y[m][n] = activate(r[n])
//! const GATED: bool     rows of W come in pairs of gate and up: y[m][i] = gated(r[2i], r[2i+1])
const SHARES: u32 = STRIPS * 4u / UNITS;
const EVEN: bool = ROWS <= 2u && SHARES % LANES == 0u; // so few turns, of as many rows, that they may be written out
const XS: u32 = ROWS * UNITS;
@group(0) @binding(3) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> bias: array<f32>;
@group(0) @binding(6) var<storage, read> norm: array<vec4<f32>>;

// bias_at gives what is added to row n of W.
fn bias_at(n: u32) -> f32 {
    if GATED {
        return bias[n / 2u + n % 2u * UPS];
    }
    return bias[n];
}

fn store(m: u32, column: u32, value: f32) {
    let at = m * Y_STRIDE + Y_OFFSET + column;
    if ADD {
        y[at] += value;
    } else {
        y[at] = value;
    }
}

// row_starts gives where the rows of x from m0 on begin, in vec4s. Rows that are not there are the last one's.
fn row_starts(m0: u32, rows: u32) -> array<u32, ROWS> {
    var starts: array<u32, ROWS>;
    for (var m = 0u; m < ROWS; m++) {
        var row = min(m0 + m, max(rows, 1u) - 1u);
        if GATHER {
            row = step[output_at(row)];
        }
        starts[m] = row * (X_STRIDE / 4u);
    }
    return starts;
}

// multiply adds what the invocation's units of K give: TILE·ROWS products, then with NORM the squares of ROWS rows.
fn multiply(starts: ptr<function, array<u32, ROWS>>, first: u32, lane: u32, sums: ptr<function, array<f32, SUMS>>) {
    var turns = SHARES / LANES;
    if !EVEN {
        turns = (SHARES + LANES - 1u - lane) / LANES;
    }
    //! turns: (SHARES + LANES - 1u) / LANES
    for (var turn = 0u; turn < turns; turn++) {
        let share = turn * LANES + lane;
        let unit = share * UNITS;
        let strip = unit / 4u;
        let at = strip * 8u + unit % 4u;
        var low: array<vec4<f32>, XS>;
        var high: array<vec4<f32>, XS>;
        var total = array<vec2<f32>, ROWS>(); // of x, for minima
        for (var i = 0u; i < XS; i++) {
            let m = i / UNITS;
            let column = at + i % UNITS;
            low[i] = x[(*starts)[m] + column];
            high[i] = x[(*starts)[m] + column + 4u];
            if NORM {
                (*sums)[TILE * ROWS + m] += dot(low[i], low[i]) + dot(high[i], high[i]);
                low[i] *= norm[column];
                high[i] *= norm[column + 4u];
            }
            if HAS_MIN && HALVES {
                total[m] += vec2<f32>(dot(low[i], vec4<f32>(1.0)), dot(high[i], vec4<f32>(1.0)));
            } else if HAS_MIN {
                total[m].x += dot(low[i] + high[i], vec4<f32>(1.0));
            }
        }
        for (var t = 0u; t < TILE; t++) {
            let row = min(first + t, N - 1u);
            let s = scale_at(row, strip);
            var products = array<vec2<f32>, ROWS>(); // of low and of high, where several units are to share the scale
            for (var i = 0u; i < UNITS; i++) {
                let u = unit_at(row, unit + i);
                let wlow = unit_low(u);
                let whigh = unit_high(u);
                for (var m = 0u; m < ROWS; m++) {
                    let product = vec2<f32>(dot(wlow, low[m * UNITS + i]), dot(whigh, high[m * UNITS + i]));
                    if UNITS == 1u {
                        (*sums)[t * ROWS + m] += scaled(product, s, total[m]);
                    } else {
                        products[m] += product;
                    }
                }
            }
            if UNITS > 1u {
                for (var m = 0u; m < ROWS; m++) {
                    (*sums)[t * ROWS + m] += scaled(products[m], s, total[m]);
                }
            }
        }
    }
}

// scaled gives what units' products with codes are as products with weights; total is x's.
fn scaled(product: vec2<f32>, s: Scale, total: vec2<f32>) -> f32 {
    if HALVES && HAS_MIN {
        return dot(product, s.scale) + dot(s.least, total);
    }
    if HALVES {
        return dot(product, s.scale);
    }
    if HAS_MIN {
        return (product.x + product.y) * s.scale.x + s.least.x * total.x;
    }
    if HAS_SCALE {
        return (product.x + product.y) * s.scale.x;
    }
    return product.x + product.y;
}

// finish stores what rows of W from first on give for row m of x, the m0 + m-th of all: each lane some of them.
fn finish(done: ptr<function, array<f32, SUMS>>, m0: u32, m: u32, first: u32, lane: u32) {
    var scale = 1.0;
    if NORM {
        scale = inverseSqrt((*done)[TILE * ROWS + m] / f32(K) + EPS);
    }
    for (var t = 0u; t < TILE; t++) {
        (*done)[t * ROWS + m] *= scale;
        if BIAS {
            (*done)[t * ROWS + m] += bias_at(FIRST + min(first + t, N - 1u));
        }
        if SCALE != 1.0 {
            (*done)[t * ROWS + m] *= SCALE;
        }
        if ACTIVATED {
            (*done)[t * ROWS + m] = activate((*done)[t * ROWS + m]);
        }
    }
    if GATED {
        for (var t = 0u; t < TILE; t += 2u) {
            if lane == (t / 2u * ROWS + m) % LANES && first + t < N {
                store(m0 + m, (first + t) / 2u, gated((*done)[t * ROWS + m], (*done)[(t + 1u) * ROWS + m]));
            }
        }
    } else {
        for (var t = 0u; t < TILE; t++) {
            if lane == (t * ROWS + m) % LANES && first + t < N {
                store(m0 + m, first + t, (*done)[t * ROWS + m]);
            }
        }
    }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let lane = lid % LANES;
    let first = ((wid.y * FOLD + wid.x) * (WORKGROUP / LANES) + lid / LANES) * TILE;
    let rows = step[M_WORD];
    let m0 = wid.z * ROWS;

    table_start(lid);
    var starts = row_starts(m0, rows);
    var sums: array<f32, SUMS>;
    multiply(&starts, first, lane, &sums);

    // A copy, indexed by what no compiler may unroll, leaves the sums above in registers.
    var done = sums;
    lanes_sum(&done, lid);
    for (var m = 0u; m < ROWS; m++) {
        if m0 + m < rows {
            finish(&done, m0, m, first, lane);
        }
    }
}
