// GELU by tanh, x/2·(1 + tanh(u)), which is x·sigmoid(2u) with u = √(2/π)·(x + 0.044715·x³). Past ±12 the sigmoid is 0 or 1 in
// f32; exp never sees a positive argument.
fn activate(x: f32) -> f32 {
    let c = clamp(x, -12.0, 12.0);
    let u = 1.5957691216 * c * (1.0 + 0.044715 * c * c);
    let e = exp(-abs(u));
    return x * (select(e, 1.0, u >= 0.0) / (1.0 + e));
}
fn gated(gate: f32, up: f32) -> f32 { return activate(gate) * up; }
