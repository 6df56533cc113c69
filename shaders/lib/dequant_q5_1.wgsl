// Weights in Q5_1: codes in five bits, and scales and minima in f16.
//! include: fifth scales_both
const HAS_SCALE: bool = true;
const HAS_MIN: bool = true;
const HALVES: bool = false;

fn unit_low(u: Unit) -> vec4<f32> { return fifth_low(u, NIBBLES); }
fn unit_high(u: Unit) -> vec4<f32> { return fifth_high(u, NIBBLES); }
fn unit_either(u: Unit, high: bool) -> vec4<f32> { return unit_low(select(u, u >> vec2<u32>(16u), high)); }
fn unit_codes(u: Unit) -> vec2<u32> { return fifth_codes(u); }

fn pack_codes(stored: ptr<function, Stored>, strip: u32, packed: ptr<function, Packed>) { pack_fifth(stored, 4u, packed); }
