// Weights in Q6_K: codes of q+32 in six bits. A strip has a word a unit of nibbles, then two of the upper bits, each for two
// units, those of the second two bits above those of the first. A strip has a word of scales: the scale of scales in f16, and a byte of
// s+128 for each 16 weights.
//! include: nibbles pack no_table
//! const STRIPS: u32  strips of 32 weights in a row
const HAS_SCALE: bool = true;
const HAS_MIN: bool = false;
const HALVES: bool = true;
const BASE: vec4<f32> = vec4<f32>(8388640.0, 524320.0, 32800.0, 2080.0);
const UPPER: vec4<u32> = vec4<u32>(0x30u, 0x300u, 0x3000u, 0x30000u);
alias Unit = vec2<u32>;
@group(0) @binding(1) var<storage, read> codes: array<u32>;
@group(0) @binding(2) var<storage, read> scales: array<u32>;

fn unit_at(row: u32, unit: u32) -> Unit {
    let at = (row * STRIPS + unit / 4u) * 6u;
    return vec2<u32>(codes[at + unit % 4u], codes[at + 4u + unit % 4u / 2u] >> (unit % 2u * 2u));
}
fn unit_low(u: Unit) -> vec4<f32> { return nibbles_above(u.x, u.y, UPPER, BASE); }
fn unit_high(u: Unit) -> vec4<f32> { return nibbles_above(u.x >> 16u, u.y >> 16u, UPPER, BASE); }
fn unit_either(u: Unit, high: bool) -> vec4<f32> { return unit_low(select(u, u >> vec2<u32>(16u), high)); }
fn unit_codes(u: Unit) -> vec2<u32> {
    let upper = u.y & 0x33333333u;
    let codes = vec2<u32>(nibble_bytes(u.x) | (nibble_bytes(upper) << 4u), nibble_bytes(u.x >> 16u) | (nibble_bytes(upper >> 16u) << 4u));
    return (codes + 0x60606060u) ^ vec2<u32>(0x80808080u);
}
alias Bits = u32;
fn bits_at(row: u32, strip: u32) -> Bits { return scales[row * STRIPS + strip]; }
fn scale_of(bits: Bits, strip: u32) -> Scale {
    let two = (vec2<u32>(bits >> 16u) & vec2<u32>(0xFFu, 0xFF00u)) | vec2<u32>(0x4B000000u, 0x47000000u);
    return Scale(unpack2x16float(bits).x * (bitcast<vec2<f32>>(two) - vec2<f32>(8388736.0, 32896.0)), vec2<f32>());
}

// pack_codes takes the nibbles and upper bits of a strip, the s-th of the four of each 128 weights: the former stand beside
// or above those of its neighbours, the latter above them.
fn pack_codes(stored: ptr<function, Stored>, strip: u32, packed: ptr<function, Packed>) {
    let half = strip / 4u;
    let s = strip % 4u;
    var upper = vec4<u32>();
    for (var i = 0u; i < 4u; i++) {
        let at = half * 64u + s % 2u * 32u + i * 4u;
        (*packed)[i] = spread(word_at(stored, at) >> (s / 2u * 4u)) | (spread(word_at(stored, at + 16u) >> (s / 2u * 4u)) << 16u);
        let above = 128u + half * 32u + i * 4u;
        let low = spread((word_at(stored, above) >> (s * 2u)) & 0x03030303u);
        let high = spread((word_at(stored, above + 16u) >> (s * 2u)) & 0x03030303u);
        upper[i] = low | (high << 16u);
    }
    (*packed)[4] = upper.x | (upper.y << 2u);
    (*packed)[5] = upper.z | (upper.w << 2u);
}
fn pack_scales(stored: ptr<function, Stored>, packed: ptr<function, Packed>) {
    for (var strip = 0u; strip < 8u; strip++) {
        (*packed)[strip] = half_at(stored, 208u) | ((half_at(stored, 192u + strip * 2u) ^ 0x8080u) << 16u);
    }
}
