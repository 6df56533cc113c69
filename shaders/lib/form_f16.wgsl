// Weights as f16.
//! include: weights_f16
fn form_low(u: Unit, s: Scale) -> vec4<f32> { return vec4<f32>(halves_low(u, s)); }
fn form_high(u: Unit, s: Scale) -> vec4<f32> { return vec4<f32>(halves_high(u, s)); }
