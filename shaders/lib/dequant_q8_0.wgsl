// Weights in Q8_0: bytes of q+128, one f16 scale a block, two scales a word; dequant_f32.wgsl says what a unit is.
//! const BLOCKS: u32  blocks of 32 weights in a row
alias Unit = vec2<u32>;
@group(0) @binding(1) var<storage, read> quants: array<Unit>;
@group(0) @binding(2) var<storage, read> scales: array<u32>;

const HAS_SCALE: bool = true;
const HAS_MIN: bool = false;

fn unit_at(row: u32, unit: u32) -> Unit { return quants[row * (BLOCKS * 4u) + unit]; }

// bytes makes floats of a word's four bytes, exactly and without a conversion: a byte at bit p of the mantissa of 2^(23-p)
// adds its value to that power of two.
fn bytes(w: u32) -> vec4<f32> {
    let h = w >> 16u;
    let bits = (vec4<u32>(w, w, h, h) & vec4<u32>(0xFFu, 0xFF00u, 0xFFu, 0xFF00u))
        | vec4<u32>(0x4B000000u, 0x47000000u, 0x4B000000u, 0x47000000u);
    return bitcast<vec4<f32>>(bits) - vec4<f32>(8388736.0, 32896.0, 8388736.0, 32896.0);
}
fn unit_low(u: Unit) -> vec4<f32> { return bytes(u.x); }
fn unit_high(u: Unit) -> vec4<f32> { return bytes(u.y); }
fn scale_at(row: u32, block: u32) -> vec2<f32> {
    let pair = unpack2x16float(scales[row * ((BLOCKS + 1u) / 2u) + (block >> 1u)]);
    return vec2<f32>(select(pair.x, pair.y, (block & 1u) == 1u), 0.0);
}
