// y[m][n] = Σ_k W[n][k]·x[m][k] for few rows of x: the weights are read once for ROWS of them.
//
// A group of LANES invocations owns TILE consecutive rows of W: each invocation takes every LANES-th share of K of all of
// them, so that x is read once a tile, and the group adds up at the end. A workgroup holds WORKGROUP / LANES groups;
// workgroup_id.z counts groups of ROWS rows of x.
//! include: step weights fold
//! slot activation: activation_silu activation_gelu activation_gelu_erf activation_cap
//! slot multiply: multiply_each multiply_shared
//! slot adapters: adapters_none adapters_lora
//! slot reduce: reduce_workgroup reduce_subgroup
//! const ROWS: u32       rows of x that the weights are read once for
//! const N: u32          rows of this piece of W
//! const FIRST: u32      the first of them in W
//! const K: u32          columns of W
//! const X_STRIDE: u32   floats from one row of x to the next
//! const Y_STRIDE: u32   floats from one row of y to the next
//! const Y_OFFSET: u32   column of y where the piece's first row goes
//! const M_WORD: u32     the step's word with the number of rows
//! const WORKGROUP: u32  invocations of a workgroup
//! const LANES: u32      invocations that share rows of W
//! const TILE: u32       rows of W that such a group owns
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

// Share is a four of ranks of a row of x.
struct Share {
    four: u32, // its number, from 1 on; 0: there is none
    u: vec4<f32>,
}

// An invocation takes of TILE·ROWS products every LANES-th, of one four after the other. share gives what it needs of x for the i-th.
const EACH: u32 = TILE * ROWS;
fn share(m0: u32, first: u32, i: u32) -> Share {
    let row = m0 + i / TILE % ROWS;
    let at = min(i / EACH, max(FOURS, 1u) - 1u);
    return Share(adapter_four(row, at), adapter_u(row, adapter_slot(first, i % TILE), at));
}

// add_share adds what an adapter does by it.
fn add_share(sums: ptr<function, array<f32, SUMS>>, s: Share, first: u32, i: u32) {
    if s.four > 0u {
        let product = dot(adapter_b(min(first + i % TILE, N - 1u), s.four - 1u), s.u);
        let mine = i % TILE * ROWS + i / TILE % ROWS;
        for (var n = 0u; n < EACH; n++) { // all of them, so that sums stay in registers
            (*sums)[n] += select(0.0, product, n == mine);
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
    // What is read for adapters comes while the rest is multiplied.
    var fours = 0u;
    var mine: Share;
    if ADAPTED {
        fours = adapter_fours();
        mine = share(m0, first, lane);
    }
    var sums: array<f32, SUMS>;
    multiply(&starts, first, lane, &sums);
    if ADAPTED {
        if lane < EACH * fours {
            add_share(&sums, mine, first, lane);
        }
        //! turns: EACH * FOURS / LANES
        for (var i = lane + LANES; i < EACH * fours; i += LANES) {
            add_share(&sums, share(m0, first, i), first, i);
        }
    }

    // A copy, indexed by what no compiler may unroll, leaves the sums above in registers.
    var done = sums;
    lanes_sum(&done, lid);
    for (var m = 0u; m < ROWS; m++) {
        if m0 + m < rows {
            finish(&done, m0, m, first, lane);
        }
    }
}
