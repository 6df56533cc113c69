// y[m][n] = Σ_k W[n][k]·x[m][k] for few rows of x: the weights are read once for ROWS of them.
//
// A group of LANES invocations owns TILE consecutive rows of W: each invocation takes every LANES-th share of K of all of
// them, so that x is read once a tile, and the group adds up at the end. A workgroup holds WORKGROUP / LANES groups;
// workgroup_id.z counts groups of ROWS rows of x.
//! include: step weights fold
//! slot tail: tail_rows tail_heads
//! slot multiply: multiply_each multiply_shared multiply_batch multiply_strips
//! slot adapters: adapters_none adapters_lora
//! slot reduce: reduce_workgroup reduce_subgroup reduce_both
//! const ROWS: u32       rows of x that the weights are read once for
//! const X_STRIDE: u32   floats from one row of x to the next
//! const M_WORD: u32     the step's word with the number of rows
//! const WORKGROUP: u32  invocations of a workgroup
//! const LANES: u32      invocations that share rows of W
//! const TILE: u32       rows of W that such a group owns
//! const SUMS: u32       TILE·ROWS products, and with NORM as many sums of squares as ROWS
//! const GATHER: bool    row m of x is the token of output m

// row_starts gives where the rows of x from m0 on begin, in vec4s. Rows that are not there are the last one's.
fn row_starts(m0: u32, rows: u32) -> array<u32, ROWS> {
    var starts: array<u32, ROWS>;
    for (var m = 0u; m < ROWS; m++) {
        var row = m0; // of a workgroup's only row, which is there: x need not wait for the step
        if ROWS > 1u {
            row = min(m0 + m, max(rows, 1u) - 1u);
        }
        if GATHER {
            row = step[output_at(row)];
        }
        starts[m] = row * (X_STRIDE / 4u);
    }
    return starts;
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
        let product = dot(adapter_b(weight_row(first, i % TILE), s.four - 1u), s.u);
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
    let ahead = look_ahead(m0, rows, first, lane);
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
            finish(&done, m0, m, first, lane, ahead);
        }
    }
}
