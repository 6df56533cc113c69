// Weights in TQ1_0: -1, 0 and 1, five in a byte as the file has them, 13 words for eight strips, and a scale in f16 for these.
//! include: bytes pack no_table
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
    if strip < 5u {
        return vec2<u32>(digits(codes[at + i], strip), digits(codes[at + 4u + i], strip));
    }
    let low = codes[at + 8u + i];
    if strip == 7u {
        return vec2<u32>(digits(low, 4u), digits(codes[at + 12u], i));
    }
    let first = strip * 2u - 10u;
    return vec2<u32>(digits(low, first), digits(low, first + 1u));
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
fn scale_at(row: u32, strip: u32) -> Scale {
    return Scale(vec2<f32>(unpack2x16float(scales[row * (STRIPS / 8u) + strip / 8u]).x), vec2<f32>());
}

fn pack_codes(stored: ptr<function, Stored>, strip: u32, packed: ptr<function, Packed>) {
    for (var i = 0u; i < 13u; i++) {
        (*packed)[i] = (*stored)[i];
    }
}
fn pack_scales(stored: ptr<function, Stored>, packed: ptr<function, Packed>) { (*packed)[0] = half_at(stored, 52u); }
