// GELU by erf, x·Φ(x): half of erfc(|x|/√2) by a polynomial times an exponential, good to 1e-7 (Abramowitz and Stegun,
// 7.1.26). exp never sees a positive argument.
fn activate(x: f32) -> f32 {
    let u = min(abs(x) * 0.70710678, 12.0);
    let t = 1.0 / (1.0 + 0.3275911 * u);
    let tail = 0.5 * t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) * exp(-u * u);
    return x * select(tail, 1.0 - tail, x >= 0.0);
}
fn gated(gate: f32, up: f32) -> f32 { return activate(gate) * up; }
