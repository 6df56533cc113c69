// Weights in Q4_1: nibbles, and a word a block with scale and minimum in f16; dequant_f32.wgsl says what a unit is.
//! const BLOCKS: u32  blocks of 32 weights in a row
alias Unit = u32;
@group(0) @binding(1) var<storage, read> quants: array<Unit>;
@group(0) @binding(2) var<storage, read> scales: array<u32>;

const HAS_SCALE: bool = true;
const HAS_MIN: bool = true;

fn unit_at(row: u32, unit: u32) -> Unit { return quants[row * (BLOCKS * 4u) + unit]; }

// nibbles works as in dequant_q4_0.wgsl.
fn nibbles(w: u32) -> vec4<f32> {
    let bits = (vec4<u32>(w) & vec4<u32>(0xFu, 0xF0u, 0xF00u, 0xF000u))
        | vec4<u32>(0x4B000000u, 0x49000000u, 0x47000000u, 0x45000000u);
    return bitcast<vec4<f32>>(bits) - vec4<f32>(8388608.0, 524288.0, 32768.0, 2048.0);
}
fn unit_low(u: Unit) -> vec4<f32> { return nibbles(u); }
fn unit_high(u: Unit) -> vec4<f32> { return nibbles(u >> 16u); }
fn scale_at(row: u32, block: u32) -> vec2<f32> { return unpack2x16float(scales[row * BLOCKS + block]); }
