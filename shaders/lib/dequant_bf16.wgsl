// Weights in bf16, two a word; dequant_f32.wgsl says what a unit is. A bf16 is the upper half of an f32.
//! const BLOCKS: u32  blocks of 32 weights in a row
alias Unit = vec4<u32>;
@group(0) @binding(1) var<storage, read> quants: array<Unit>;
@group(0) @binding(2) var<storage, read> scales: array<u32>;

const HAS_SCALE: bool = false;
const HAS_MIN: bool = false;

fn unit_at(row: u32, unit: u32) -> Unit { return quants[row * (BLOCKS * 4u) + unit]; }
fn unit_low(u: Unit) -> vec4<f32> {
    return bitcast<vec4<f32>>(vec4<u32>(u.x << 16u, u.x & 0xFFFF0000u, u.y << 16u, u.y & 0xFFFF0000u));
}
fn unit_high(u: Unit) -> vec4<f32> {
    return bitcast<vec4<f32>>(vec4<u32>(u.z << 16u, u.z & 0xFFFF0000u, u.w << 16u, u.w & 0xFFFF0000u));
}
fn scale_at(row: u32, block: u32) -> vec2<f32> { return vec2<f32>(1.0, 0.0); }
