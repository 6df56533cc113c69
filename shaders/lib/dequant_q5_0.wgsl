// Weights in Q5_0: codes of q+16 in five bits, and scales in f16.
//! include: fifth scales_half
const BLOCK_BYTES: u32 = 22u;
const HAS_SCALE: bool = true;
const HAS_MIN: bool = false;
const HALVES: bool = false;
const BASE: vec4<f32> = vec4<f32>(8388624.0, 524304.0, 32784.0, 2064.0);

fn unit_low(u: Unit) -> vec4<f32> { return fifth_low(u, BASE); }
fn unit_high(u: Unit) -> vec4<f32> { return fifth_high(u, BASE); }
fn unit_either(u: Unit, high: bool) -> vec4<f32> { return unit_low(select(u, u >> vec2<u32>(16u), high)); }
fn unit_codes(u: Unit) -> vec2<u32> { return (fifth_codes(u) + 0x70707070u) ^ vec2<u32>(0x80808080u); }

fn pack_codes(stored: ptr<function, Stored>, strip: u32, packed: ptr<function, Packed>) { pack_fifth(stored, strip * BLOCK_BYTES + 2u, packed); }
