// What becomes of a group's products: rows of y, each the next column of it.
//! include: bias_rows
//! slot activation: activation_silu activation_gelu activation_gelu_erf activation_cap
//! const ROWS: u32       rows of x that the weights are read once for
//! const N: u32          rows of this piece of W
//! const FIRST: u32      the first of them in W
//! const K: u32          columns of W
//! const Y_STRIDE: u32   floats from one row of y to the next
//! const Y_OFFSET: u32   column of y where the piece's first row goes
//! const LANES: u32      invocations that share rows of W
//! const TILE: u32       rows of W that such a group owns
//! const SUMS: u32       TILE·ROWS products, and with NORM as many sums of squares as ROWS
//! const EPS: f32        the norm's
//! const NORM: bool      y is multiplied by 1/rms of its row
//! const ADD: bool       y is added to
//! const BIAS: bool      bias[n] is added to the product; with GATED the gates' lie first
//! const SCALE: f32      factor of the sum
//! const ACTIVATED: bool y[m][n] = activate(r[n])
//! const GATED: bool     rows of W come in pairs of gate and up: y[m][i] = gated(r[2i], r[2i+1])
@group(0) @binding(3) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read> norm: array<vec4<f32>>;

// weight_row gives the t-th row of W of the group that begins at first.
fn weight_row(first: u32, t: u32) -> u32 { return min(first + t, N - 1u); }

// Ahead is what a lane reads while products are still on their way: what it adds to, where it stores one number at most.
struct Ahead { sum: f32 }
const ADDS_AHEAD: bool = ADD && !GATED && TILE * ROWS <= LANES;

fn look_ahead(m0: u32, rows: u32, first: u32, lane: u32) -> Ahead {
    if ADDS_AHEAD && lane < TILE * ROWS {
        return Ahead(y[(m0 + lane % ROWS) * Y_STRIDE + Y_OFFSET + weight_row(first, lane / ROWS)]);
    }
    return Ahead(0.0);
}

fn store(m: u32, column: u32, value: f32, ahead: Ahead) {
    let at = m * Y_STRIDE + Y_OFFSET + column;
    if ADDS_AHEAD {
        y[at] = ahead.sum + value;
    } else if ADD {
        y[at] += value;
    } else {
        y[at] = value;
    }
}

// finish stores what rows of W from first on give for row m of x, the m0 + m-th of all: each lane some of them.
fn finish(done: ptr<function, array<f32, SUMS>>, m0: u32, m: u32, first: u32, lane: u32, ahead: Ahead) {
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
        for (var i = 0u; i < TILE / 2u; i++) {
            let t = 2u * i;
            if lane == (i * ROWS + m) % LANES && first + t < N {
                store(m0 + m, (first + t) / 2u, gated((*done)[t * ROWS + m], (*done)[(t + 1u) * ROWS + m]), ahead);
            }
        }
    } else {
        for (var t = 0u; t < TILE; t++) {
            if lane == (t * ROWS + m) % LANES && first + t < N {
                store(m0 + m, first + t, (*done)[t * ROWS + m], ahead);
            }
        }
    }
}
