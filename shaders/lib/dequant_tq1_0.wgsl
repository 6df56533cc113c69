// Weights in TQ1_0: -1, 0 and 1, five in a byte as the file has them, 13 words for eight strips, and a scale in f16 for these.
//! include: bytes pack no_table either
//! const STRIPS: u32  strips of 32 weights in a row
const HAS_SCALE: bool = true;
const HAS_MIN: bool = false;
const HALVES: bool = false;
const BASE: vec4<f32> = vec4<f32>(8388609.0, 32769.0, 8388609.0, 32769.0);
alias Unit = vec2<u32>;
@group(0) @binding(1) var<storage, read> codes: array<u32>;
@group(0) @binding(2) var<storage, read> scales: array<u32>;

// unit_at takes the strip's digit of 32 bytes; of the last three strips, the digits in pairs of 16 bytes, and of four.
fn unit_at(row: u32, unit: u32) -> Unit {
    let at = (row * (STRIPS / 8u) + unit / 32u) * 13u;
    let strip = unit / 4u % 8u;
    let i = unit % 4u;
    let last = strip == 7u;
    let early = strip < 5u;
    let word = select(vec2<u32>(8u + i, select(8u + i, 12u, last)), vec2<u32>(i, 4u + i), early);
    let first = strip * 2u - 10u;
    let digit = select(vec2<u32>(first, select(first + 1u, i, last)), vec2<u32>(strip), early);
    return vec2<u32>(digits(codes[at + word.x], digit.x), digits(codes[at + word.y], digit.y));
}

// digits takes a digit of each of a word's bytes, which are fractions in base 3.
fn digits(w: u32, digit: u32) -> u32 {
    let power = select((0x1B090301u >> (digit % 4u * 8u)) & 0xFFu, 81u, digit == 4u);
    let even = (((w & 0xFF00FFu) * power) & 0xFF00FFu) * 3u;
    let odd = ((((w >> 8u) & 0xFF00FFu) * power) & 0xFF00FFu) * 3u;
    return ((even >> 8u) & 0x30003u) | (odd & 0x3000300u);
}
fn unit_low(u: Unit) -> vec4<f32> { return bytes_less(u.x, BASE); }
fn unit_high(u: Unit) -> vec4<f32> { return bytes_less(u.y, BASE); }
fn unit_codes(u: Unit) -> vec2<u32> { return (u + 0x7F7F7F7Fu) ^ vec2<u32>(0x80808080u); }
alias Bits = u32;
fn bits_at(row: u32, strip: u32) -> Bits { return scales[row * (STRIPS / 8u) + strip / 8u]; }
fn scale_of(bits: Bits, strip: u32) -> Scale { return Scale(vec2<f32>(unpack2x16float(bits).x), vec2<f32>()); }

fn pack_codes(stored: ptr<function, Stored>, strip: u32, packed: ptr<function, Packed>) {
    for (var i = 0u; i < 13u; i++) {
        (*packed)[i] = (*stored)[i];
    }
}
fn pack_scales(stored: ptr<function, Stored>, packed: ptr<function, Packed>) { (*packed)[0] = half_at(stored, 52u); }
