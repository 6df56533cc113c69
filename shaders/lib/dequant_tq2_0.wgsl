// Weights in TQ2_0: codes of q+1 in two bits, and a scale in f16 for eight strips.
//! include: twos no_table
//! const STRIPS: u32  strips of 32 weights in a row
const HAS_SCALE: bool = true;
const HAS_MIN: bool = false;
const HALVES: bool = false;
const BASE: vec4<f32> = vec4<f32>(8388609.0, 524289.0, 32769.0, 2049.0);
alias Unit = u32;
@group(0) @binding(1) var<storage, read> codes: array<u32>;
@group(0) @binding(2) var<storage, read> scales: array<u32>;

fn unit_at(row: u32, unit: u32) -> Unit { return codes[row * (STRIPS * 2u) + unit / 2u] >> (unit % 2u * 16u); }
fn unit_low(u: Unit) -> vec4<f32> { return twos(u, BASE); }
fn unit_high(u: Unit) -> vec4<f32> { return twos(u >> 2u, BASE); }
fn unit_either(u: Unit, high: bool) -> vec4<f32> { return unit_low(select(u, u >> 2u, high)); }
fn unit_codes(u: Unit) -> vec2<u32> { return (two_bytes(u) + 0x7F7F7F7Fu) ^ vec2<u32>(0x80808080u); }
alias Bits = u32;
fn bits_at(row: u32, strip: u32) -> Bits { return scales[row * (STRIPS / 8u) + strip / 8u]; }
fn scale_of(bits: Bits, strip: u32) -> Scale { return Scale(vec2<f32>(unpack2x16float(bits).x), vec2<f32>()); }

fn pack_codes(stored: ptr<function, Stored>, strip: u32, packed: ptr<function, Packed>) { pack_twos(stored, strip / 4u * 32u, strip % 4u, packed); }
fn pack_scales(stored: ptr<function, Stored>, packed: ptr<function, Packed>) { (*packed)[0] = half_at(stored, 64u); }
