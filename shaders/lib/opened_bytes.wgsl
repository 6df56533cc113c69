// Bytes as what f16 has below its normal numbers, two a word: a code times 2^-24.
//! include: weights
//! const CODE_LESS: f32  what weights are less than their codes
const OPENED: vec4<f32> = vec4<f32>(16777216.0);
const LESS: f32 = CODE_LESS;

fn opened_word(w: u32) -> vec4<f32> {
    let even = unpack2x16float(w & 0x00FF00FFu);
    let odd = unpack2x16float((w >> 8u) & 0x00FF00FFu);
    return vec4<f32>(even.x, odd.x, even.y, odd.y);
}
fn opened_low(u: Unit) -> vec4<f32> { return opened_word(u.x); }
fn opened_high(u: Unit) -> vec4<f32> { return opened_word(u.y); }
