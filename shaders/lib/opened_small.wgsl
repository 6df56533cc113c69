// Codes of E2M1 as f16 opens them: 2^-15 of their values.
//! include: weights
const OPENED: vec4<f32> = vec4<f32>(32768.0);
const LESS: f32 = 0.0;

fn opened_low(u: Unit) -> vec4<f32> { return small_low(u); }
fn opened_high(u: Unit) -> vec4<f32> { return small_high(u); }
