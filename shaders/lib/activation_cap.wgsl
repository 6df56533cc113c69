// A soft bound of ±CAP: CAP·tanh(x / CAP), through exp of a value that is never positive.
//! const CAP: f32  bound of what comes out
fn activate(x: f32) -> f32 {
    let e = exp(max(-2.0 * abs(x) / CAP, -80.0));
    return sign(x) * CAP * (1.0 - e) / (1.0 + e);
}
fn gated(gate: f32, up: f32) -> f32 { return activate(gate) * up; }
