// gpt-oss's gates: gate·sigmoid(1.702·gate)·(up + 1), gate bounded from above and up from both sides. exp never sees a positive
// argument, so nothing overflows.
const BOUND: f32 = 7.0;
fn activate(x: f32) -> f32 {
    let gate = min(x, BOUND);
    let e = exp(-abs(1.702 * gate));
    return gate * (select(e, 1.0, gate >= 0.0) / (1.0 + e));
}
fn gated(gate: f32, up: f32) -> f32 { return activate(gate) * (clamp(up, -BOUND, BOUND) + 1.0); }
