// Products by the experts that a step's tokens chose, each choice by itself: y[c] = W[expert of c]·x, c's token's row, or
// y[t] = Σ weight of c·W[expert of c]·x[c] over the choices c of token t, in their order.
//
// A group of LANES invocations owns TILE consecutive rows of the experts, and takes units of K in turn, of all choices that
// are added up. Workgroups of a launch go on from y to z (see fold.wgsl).
//! include: routing weights fold
//! slot activation: activation_silu activation_gelu activation_gelu_erf activation_clamped
//! slot reduce: reduce_workgroup reduce_subgroup
//! const USED: u32       experts of a token
//! const EACH: u32       rows of an expert
//! const BEGIN: u32      the first of them in this piece of W
//! const N: u32          how many of them are in it
//! const FIRST: u32      the piece's first row in W
//! const ROWS: u32       the piece's rows
//! const UPS: u32        with GATED the gates' biases lie first; where the ups' begin
//! const K: u32          columns of W
//! const STRIPS: u32     strips of 32 weights in a row
//! const X_STRIDE: u32   floats from one row of x to the next
//! const Y_STRIDE: u32   floats from one row of y to the next
//! const WORKGROUP: u32  invocations of a workgroup
//! const LANES: u32      invocations that share rows of W
//! const TILE: u32       rows of W that such a group owns
//! const SUMS: u32       TILE products, and with NORM a sum of squares
//! const EPS: f32        the norm's
//! const NORM: bool      x is multiplied by norm, and y by 1/rms of its row, which the same pass finds
//! const SUM: bool       a token's choices are added up
//! const JOINED: u32     choices that are: 1 without
//! const ADD: bool       y is added to
//! const BIAS: bool      an expert's bias is added to its product
//! const GATED: bool     rows of W come in pairs of gate and up: y[c][i] = gated(r[2i], r[2i+1])
//! const OVER: bool      y holds gates: y[c][i] = gated(y[c][i], r[i])
@group(0) @binding(3) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> bias: array<f32>;
@group(0) @binding(6) var<storage, read> norm: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read> routing: array<Choice>;

const UNITS: u32 = STRIPS * 4u;

fn store(row: u32, column: u32, value: f32) {
    let at = row * Y_STRIDE + column;
    if OVER {
        y[at] = gated(y[at], value);
    } else if ADD {
        y[at] += value;
    } else {
        y[at] = value;
    }
}

// place is the row in the piece of an expert's rows that are in it; ROWS and more where none is.
fn place(expert: u32) -> u32 { return expert * EACH + BEGIN - FIRST; }

// bias_of is what the choices from first on have of bias for a row, as far as the piece has their experts.
fn bias_of(first: u32, row: u32) -> f32 {
    var sum = 0.0;
    for (var j = 0u; j < JOINED; j++) {
        let choice = routing[first + j];
        if place(choice.expert) >= ROWS {
            continue;
        }
        var at = choice.expert * EACH + BEGIN + row;
        if GATED {
            at = at / 2u + at % 2u * UPS;
        }
        if SUM {
            sum += choice.weight * bias[at];
        } else {
            sum += bias[at];
        }
    }
    return sum;
}

// multiply adds what the invocation's units of K give.
fn multiply(choice: u32, first: u32, lane: u32, sums: ptr<function, array<f32, SUMS>>) {
    for (var i = lane; i < JOINED * UNITS; i += LANES) {
        let c = choice + i / UNITS;
        let unit = i % UNITS;
        let base = place(routing[c].expert);
        if base >= ROWS {
            continue;
        }
        let strip = unit / 4u;
        let at = strip * 8u + unit % 4u;
        let start = select(c / USED, c, SUM) * (X_STRIDE / 4u);
        var low = x[start + at];
        var high = x[start + at + 4u];
        if SUM {
            low *= routing[c].weight;
            high *= routing[c].weight;
        }
        if NORM {
            (*sums)[SUMS - 1u] += dot(low, low) + dot(high, high);
            low *= norm[at];
            high *= norm[at + 4u];
        }
        var total = vec2<f32>();
        if HAS_MIN {
            total = vec2<f32>(dot(low, vec4<f32>(1.0)), dot(high, vec4<f32>(1.0)));
        }
        for (var t = 0u; t < TILE; t++) {
            let row = base + min(first + t, N - 1u);
            let u = unit_at(row, unit);
            let s = scale_at(row, strip);
            let product = vec2<f32>(dot(unit_low(u), low), dot(unit_high(u), high));
            if HALVES {
                (*sums)[t] += dot(product, s.scale);
                if HAS_MIN {
                    (*sums)[t] += dot(s.least, total);
                }
            } else if HAS_MIN {
                (*sums)[t] += (product.x + product.y) * s.scale.x + s.least.x * (total.x + total.y);
            } else if HAS_SCALE {
                (*sums)[t] += (product.x + product.y) * s.scale.x;
            } else {
                (*sums)[t] += product.x + product.y;
            }
        }
    }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let lane = lid % LANES;
    let first = (wid.x * (WORKGROUP / LANES) + lid / LANES) * TILE;
    let row = wid.z * FOLD + wid.y;
    let choice = row * JOINED;
    if choice >= choices() {
        return;
    }
    if !SUM && place(routing[choice].expert) >= ROWS {
        return;
    }
    table_start(lid);
    var sums: array<f32, SUMS>;
    multiply(choice, first, lane, &sums);

    // A copy, indexed by what no compiler may unroll, leaves the sums above in registers.
    var done = sums;
    lanes_sum(&done, lid);
    var scale = 1.0;
    if NORM {
        scale = inverseSqrt(done[SUMS - 1u] / f32(K) + EPS);
    }
    for (var t = 0u; t < TILE; t++) {
        done[t] *= scale;
        if BIAS && first + t < N {
            done[t] += bias_of(choice, first + t);
        }
    }
    if GATED {
        for (var t = 0u; t < TILE; t += 2u) {
            if lane == t / 2u % LANES && first + t < N {
                store(row, (BEGIN + first + t) / 2u, gated(done[t], done[t + 1u]));
            }
        }
    } else {
        for (var t = 0u; t < TILE; t++) {
            if lane == t % LANES && first + t < N {
                store(row, BEGIN + first + t, done[t]);
            }
        }
    }
}
