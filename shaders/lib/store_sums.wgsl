// What becomes of four sums of a tile: of rows n to n + 3 of W with one row of x.
//! slot stored: stored_each stored_whole
//! slot activation: activation_silu activation_gelu activation_gelu_erf activation_cap activation_clamped
//! slot adapters: adapters_none adapters_lora
//! const N: u32         rows of this piece of W
//! const BIAS: bool     bias[n] is added to the product; with GATED the gates' lie first
//! const UPS: u32       where the ups' begin
//! const SCALE: f32     factor of the sum
//! const ACTIVATED: bool  y[m][n] = activate(r[n])
//! const GATED: bool    rows of W come in pairs of gate and up: y[m][i] = gated(r[2i], r[2i+1])
@group(0) @binding(5) var<storage, read> bias: array<f32>;

// store_sums stores what comes of them in a row of y; the piece's biases begin at "biases", and "fours" are the row's of adapters.
fn store_sums(sums: vec4<f32>, row: u32, n: u32, biases: u32, fours: u32) {
    var v = sums;
    let rows = min(vec4<u32>(n, n + 1u, n + 2u, n + 3u), vec4<u32>(N - 1u));
    if ADAPTED {
        if fours > 0u {
            v += adapted(row, rows, fours);
        }
    }
    if BIAS {
        var at = rows + biases;
        if GATED {
            at = at / 2u + at % 2u * UPS;
        }
        v += vec4<f32>(bias[at.x], bias[at.y], bias[at.z], bias[at.w]);
    }
    if SCALE != 1.0 {
        v *= SCALE;
    }
    if ACTIVATED {
        v = vec4<f32>(activate(v.x), activate(v.y), activate(v.z), activate(v.w));
    }
    if GATED {
        store_pair(row, n, vec2<f32>(gated(v.x, v.y), gated(v.z, v.w)));
    } else {
        store_four(row, n, v);
    }
}
