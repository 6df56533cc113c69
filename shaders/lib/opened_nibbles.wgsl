// Nibbles as what f16 has below its normal numbers, two a word: a code times 2^-24, or 2^-20 where it stands four bits higher.
//! include: weights
//! const CODE_LESS: f32  what weights are less than their codes
const OPENED: vec4<f32> = vec4<f32>(16777216.0, 1048576.0, 16777216.0, 1048576.0);
const LESS: f32 = CODE_LESS;

fn opened_low(u: Unit) -> vec4<f32> {
    let h = u >> 8u;
    return vec4<f32>(unpack2x16float(u & 0x000F000Fu).x, unpack2x16float(u & 0x00F000F0u).x, unpack2x16float(h & 0x000F000Fu).x, unpack2x16float(h & 0x00F000F0u).x);
}
fn opened_high(u: Unit) -> vec4<f32> {
    let h = u >> 8u;
    return vec4<f32>(unpack2x16float(u & 0x000F000Fu).y, unpack2x16float(u & 0x00F000F0u).y, unpack2x16float(h & 0x000F000Fu).y, unpack2x16float(h & 0x00F000F0u).y);
}
