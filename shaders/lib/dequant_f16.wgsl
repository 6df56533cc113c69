// Weights in f16, two a word; dequant_f32.wgsl says what a unit is.
//! const BLOCKS: u32  blocks of 32 weights in a row
alias Unit = vec4<u32>;
@group(0) @binding(1) var<storage, read> quants: array<Unit>;
@group(0) @binding(2) var<storage, read> scales: array<u32>;

const HAS_SCALE: bool = false;
const HAS_MIN: bool = false;

fn unit_at(row: u32, unit: u32) -> Unit { return quants[row * (BLOCKS * 4u) + unit]; }
fn unit_low(u: Unit) -> vec4<f32> { return vec4<f32>(unpack2x16float(u.x), unpack2x16float(u.y)); }
fn unit_high(u: Unit) -> vec4<f32> { return vec4<f32>(unpack2x16float(u.z), unpack2x16float(u.w)); }
fn scale_at(row: u32, block: u32) -> vec2<f32> { return vec2<f32>(1.0, 0.0); }
