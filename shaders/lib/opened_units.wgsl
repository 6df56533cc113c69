// Codes as their type's library opens them. What opens a unit's codes for multiply_strips has
//   opened_low, _high  its codes by 1 / OPENED, which x is multiplied by instead
//   OPENED             powers of two, of each four codes
//   LESS               what weights are less than their codes, before scale and minimum
//! include: weights
const OPENED: vec4<f32> = vec4<f32>(1.0);
const LESS: f32 = 0.0;

fn opened_low(u: Unit) -> vec4<f32> { return unit_low(u); }
fn opened_high(u: Unit) -> vec4<f32> { return unit_high(u); }
