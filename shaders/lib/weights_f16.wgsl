// Weights as f16; those beyond its range are the largest in it.
//! include: weights
fn halves_low(u: Unit, s: Scale) -> vec4<f16> { return halves(weights_low(u, s)); }
fn halves_high(u: Unit, s: Scale) -> vec4<f16> { return halves(weights_high(u, s)); }
fn halves(w: vec4<f32>) -> vec4<f16> { return vec4<f16>(clamp(w, vec4<f32>(-65504.0), vec4<f32>(65504.0))); }
