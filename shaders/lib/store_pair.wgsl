// What becomes of a pair of sums: of two rows of W, an even one and the next, with one row of x.
//! include: bias_rows
//! slot activation: activation_silu activation_gelu activation_gelu_erf activation_cap activation_clamped
//! slot adapters: adapters_none adapters_lora
//! const N: u32          rows of this piece of W
//! const Y_STRIDE: u32   floats from one row of y to the next
//! const Y_OFFSET: u32   column of y where the piece's first row goes
//! const ADD: bool       y is added to
//! const BIAS: bool      bias[n] is added to the product
//! const SCALE: f32      factor of the sum
//! const ACTIVATED: bool y[m][n] = activate(r[n])
//! const GATED: bool     y[m][i] = gated(r[2i], r[2i+1])
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

fn store(m: u32, column: u32, value: f32) {
    let at = m * Y_STRIDE + Y_OFFSET + column;
    if ADD {
        y[at] += value;
    } else {
        y[at] = value;
    }
}

// finished gives what comes of a sum: that of row n of the piece, which is W's row begin + n.
fn finished(sum: f32, n: u32, begin: u32) -> f32 {
    var v = sum;
    if BIAS {
        v += bias_at(begin + min(n, N - 1u));
    }
    if SCALE != 1.0 {
        v *= SCALE;
    }
    if ACTIVATED {
        v = activate(v);
    }
    return v;
}

// pair_adapted is what adapters add to row m of x and the rows n and n + 1.
fn pair_adapted(m: u32, n: u32, fours: u32) -> vec4<f32> {
    let next = min(n + 1u, N - 1u);
    return adapted(m, vec4<u32>(n, next, n, next), fours);
}

// store_pair stores what comes of the sums a and b, of rows n and n + 1 with row m of x; n is below N, scale is x's.
fn store_pair(a: f32, b: f32, scale: f32, m: u32, n: u32, begin: u32, fours: u32) {
    var sums = vec2<f32>(a, b);
    if ADAPTED {
        sums += pair_adapted(m, n, fours).xy;
    }
    let va = finished(sums.x * scale, n, begin);
    let vb = finished(sums.y * scale, n + 1u, begin);
    if GATED {
        store(m, n / 2u, gated(va, vb));
    } else {
        store(m, n, va);
        if n + 1u < N {
            store(m, n + 1u, vb);
        }
    }
}
