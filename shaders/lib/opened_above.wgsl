// Codes of nibbles and of bits above them in a second word, as what f16 has below its normal numbers: see opened_nibbles.
//! include: weights
//! const CODE_LESS: f32  what weights are less than their codes
//! const ABOVE: u32      the bits above
const OPENED: vec4<f32> = vec4<f32>(16777216.0, 1048576.0, 16777216.0, 1048576.0);
const LESS: f32 = CODE_LESS;

// opened_pairs gives the first two codes of low and of high.
fn opened_pairs(u: Unit) -> vec4<f32> {
    let above = u.y << 4u;
    let first = (u.x & 0x000F000Fu) | (above & (ABOVE * 0x00100010u));
    let second = (u.x & 0x00F000F0u) | (above & (ABOVE * 0x01000100u));
    return vec4<f32>(unpack2x16float(first), unpack2x16float(second));
}
fn opened_low(u: Unit) -> vec4<f32> { return vec4<f32>(opened_pairs(u).xz, opened_pairs(u >> vec2<u32>(8u)).xz); }
fn opened_high(u: Unit) -> vec4<f32> { return vec4<f32>(opened_pairs(u).yw, opened_pairs(u >> vec2<u32>(8u)).yw); }
