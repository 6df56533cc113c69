// Weights in Q3_K: codes of q+4. A strip has two words of two bits each, of units 2i and 2i + 1: the n-th nibble has code n of the one
// and above it that of the other; then a word of third bits, bit 4n + i for code n of unit i. Scales of eight strips are 5 words: the
// scale of scales in f16, then a byte of s+128 for each 16 weights.
//! include: nibbles pack no_table
//! const STRIPS: u32  strips of 32 weights in a row
const HAS_SCALE: bool = true;
const HAS_MIN: bool = false;
const HALVES: bool = true;
const BASE: vec4<f32> = vec4<f32>(8388612.0, 524292.0, 32772.0, 2052.0);
alias Unit = u32; // a code a nibble
@group(0) @binding(1) var<storage, read> codes: array<u32>;
@group(0) @binding(2) var<storage, read> scales: array<u32>;

fn unit_at(row: u32, unit: u32) -> Unit {
    let at = (row * STRIPS + unit / 4u) * 3u;
    return ((codes[at + unit % 4u / 2u] >> (unit % 2u * 2u)) & 0x33333333u) | (((codes[at + 2u] >> (unit % 4u)) << 2u) & 0x44444444u);
}
fn unit_low(u: Unit) -> vec4<f32> { return nibbles(u, BASE); }
fn unit_high(u: Unit) -> vec4<f32> { return nibbles(u >> 16u, BASE); }
fn unit_either(u: Unit, high: bool) -> vec4<f32> { return unit_low(select(u, u >> 16u, high)); }
fn unit_codes(u: Unit) -> vec2<u32> {
    return (vec2<u32>(nibble_bytes(u), nibble_bytes(u >> 16u)) + 0x7C7C7C7Cu) ^ vec2<u32>(0x80808080u);
}
alias Bits = vec2<u32>;
fn bits_at(row: u32, strip: u32) -> Bits {
    let at = (row * (STRIPS / 8u) + strip / 8u) * 5u;
    return vec2<u32>(scales[at], scales[at + 1u + (strip % 8u) / 2u]);
}
fn scale_of(bits: Bits, strip: u32) -> Scale {
    let both = bits.y >> ((strip % 2u) * 16u);
    let two = (vec2<u32>(both) & vec2<u32>(0xFFu, 0xFF00u)) | vec2<u32>(0x4B000000u, 0x47000000u);
    return Scale(unpack2x16float(bits.x).x * (bitcast<vec2<f32>>(two) - vec2<f32>(8388736.0, 32896.0)), vec2<f32>());
}

// pack_codes takes bytes of four codes of two bits, the s-th in each of its four of 128 weights, and third bits of bytes whose eight
// bits the strips share.
fn pack_codes(stored: ptr<function, Stored>, strip: u32, packed: ptr<function, Packed>) {
    var third = 0u;
    for (var i = 0u; i < 4u; i++) {
        let at = 32u + strip / 4u * 32u + i * 4u;
        let shift = strip % 4u * 2u;
        let low = spread((word_at(stored, at) >> shift) & 0x03030303u);
        let high = spread((word_at(stored, at + 16u) >> shift) & 0x03030303u);
        (*packed)[i / 2u] |= (low | (high << 16u)) << (i % 2u * 2u);
        let third_low = spread((word_at(stored, i * 4u) >> strip) & 0x01010101u);
        let third_high = spread((word_at(stored, 16u + i * 4u) >> strip) & 0x01010101u);
        third |= (third_low | (third_high << 16u)) << i;
    }
    (*packed)[2] = third;
}
// pack_scales finds of the scales b = 4i..4i+3 the low four bits in nibbles, the upper two in bits 2i and 2i + 1 of four bytes.
fn pack_scales(stored: ptr<function, Stored>, packed: ptr<function, Packed>) {
    (*packed)[0] = half_at(stored, 108u);
    for (var i = 0u; i < 4u; i++) {
        let low = (word_at(stored, 96u + i % 2u * 4u) >> (i / 2u * 4u)) & 0x0F0F0F0Fu;
        let upper = (word_at(stored, 104u) >> (i * 2u)) & 0x03030303u;
        (*packed)[1u + i] = (low | (upper << 4u)) + 0x60606060u;
    }
}
