// Weights as f32.
//! include: weights
fn form_low(u: Unit, s: Scale) -> vec4<f32> { return weights_low(u, s); }
fn form_high(u: Unit, s: Scale) -> vec4<f32> { return weights_high(u, s); }
