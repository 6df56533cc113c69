// Factors in f16 that are the weights themselves.
//! include: weights
struct Factors { low: vec4<f16>, high: vec4<f16> }
const SHRINK: f32 = 1.0;
fn factors(u: Unit, s: Scale) -> Factors { return Factors(vec4<f16>(weights_low(u, s)), vec4<f16>(weights_high(u, s))); }
fn factors_sum(sum: vec4<f16>, s: Scale) -> vec4<f32> { return vec4<f32>(sum); }
