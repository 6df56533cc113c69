// The functions that a state's decay comes from, within about 2 ulp on every adapter: what adapters have themselves may be
// off by thousands near where a state decays slowly, and a state adds that up over all of its tokens.

// exp_close is exp(x), for x kept within ±80.
fn exp_close(x: f32) -> f32 {
    let y = clamp(x, -80.0, 80.0);
    let n = round(y * 1.4426950);
    let r = (y - n * 0.693359375) + n * 2.12194440e-4; // ln 2 in two parts
    let p = 1.0 + r * (1.0 + r * (0.5 + r * (1.6666667e-1 + r * (4.1666668e-2 + r * (8.3333333e-3 + r * (1.3888889e-3 + r * 1.9841270e-4))))));
    return p * bitcast<f32>(u32(i32(n) + 127) << 23u);
}

// softplus is ln(1 + exp(x)): ln(1 + e) is 2 artanh(e / (2 + e)).
fn softplus(x: f32) -> f32 {
    let e = exp_close(-abs(x));
    let w = e / (2.0 + e);
    let s = w * w;
    return max(x, 0.0) + w * (2.0 + s * (0.66666667 + s * (0.4 + s * (0.28571429 + s * (0.22222222 + s * (0.18181818 + s * 0.15384615))))));
}

fn sigmoid(x: f32) -> f32 {
    let e = exp_close(-abs(x));
    return select(e, 1.0, x >= 0.0) / (1.0 + e);
}
