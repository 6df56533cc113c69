// Weights in Q4_0: nibbles of q+8, one f16 scale a block, two scales a word; dequant_f32.wgsl says what a unit is.
//! const BLOCKS: u32  blocks of 32 weights in a row
alias Unit = u32;
@group(0) @binding(1) var<storage, read> quants: array<Unit>;
@group(0) @binding(2) var<storage, read> scales: array<u32>;

const HAS_SCALE: bool = true;
const HAS_MIN: bool = false;

fn unit_at(row: u32, unit: u32) -> Unit { return quants[row * (BLOCKS * 4u) + unit]; }

// nibbles makes floats of a word's four low nibbles, exactly and without a conversion: a nibble at bit p of the mantissa
// of 2^(23-p) adds its value to that power of two.
fn nibbles(w: u32) -> vec4<f32> {
    let bits = (vec4<u32>(w) & vec4<u32>(0xFu, 0xF0u, 0xF00u, 0xF000u))
        | vec4<u32>(0x4B000000u, 0x49000000u, 0x47000000u, 0x45000000u);
    return bitcast<vec4<f32>>(bits) - vec4<f32>(8388616.0, 524296.0, 32776.0, 2056.0);
}
fn unit_low(u: Unit) -> vec4<f32> { return nibbles(u); }
fn unit_high(u: Unit) -> vec4<f32> { return nibbles(u >> 16u); }
fn scale_at(row: u32, block: u32) -> vec2<f32> {
    let pair = unpack2x16float(scales[row * ((BLOCKS + 1u) / 2u) + (block >> 1u)]);
    return vec2<f32>(select(pair.x, pair.y, (block & 1u) == 1u), 0.0);
}
