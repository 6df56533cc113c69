// Weights in NVFP4: codes of a sign, two bits of exponent and one of mantissa (E2M1), which f16 has all bits of, with smaller
// exponents; and for each 16 a byte, the scale as E4M3 without a sign, likewise. Before the scales stands a factor of all weights.
//! include: bytes pack
//! const STRIPS: u32  strips of 32 weights in a row
const HEAD: u32 = 1u;
const COPIES: u32 = 1u;
const CODE_UNIT: f32 = 3.0517578125e-05; // 2^-15: codes are half of E2M1, with f16's exponents
const HAS_SCALE: bool = true;
const HAS_MIN: bool = false;
const HALVES: bool = true;
alias Unit = u32;
@group(0) @binding(1) var<storage, read> codes: array<Unit>;
@group(0) @binding(2) var<storage, read> scales: array<u32>;

fn unit_at(row: u32, unit: u32) -> Unit { return codes[row * (STRIPS * 4u) + unit]; }

// pair_of opens two codes whose three lower bits are moved to bits 9 to 11 and 25 to 27 of a word, and their signs to 15 and 31.
fn pair_of(lower: u32, signs: u32) -> vec2<f32> { return unpack2x16float((lower & 0x0E000E00u) | (signs & 0x80008000u)); }
fn first_pair(u: Unit) -> vec2<f32> { return pair_of(u << 9u, u << 12u); }
fn second_pair(u: Unit) -> vec2<f32> { return pair_of(u << 5u, u << 8u); }
fn third_pair(u: Unit) -> vec2<f32> { return pair_of(u << 1u, u << 4u); }
fn fourth_pair(u: Unit) -> vec2<f32> { return pair_of(u >> 3u, u); }
fn unit_low(u: Unit) -> vec4<f32> { return vec4<f32>(first_pair(u).x, second_pair(u).x, third_pair(u).x, fourth_pair(u).x); }
fn unit_high(u: Unit) -> vec4<f32> { return vec4<f32>(first_pair(u).y, second_pair(u).y, third_pair(u).y, fourth_pair(u).y); }
fn unit_either(u: Unit, high: bool) -> vec4<f32> { return unit_low(select(u, u >> 16u, high)); }
fn unit_codes(u: Unit) -> vec2<u32> { return vec2<u32>(small_integers(unit_low(u) * 32768.0), small_integers(unit_high(u) * 32768.0)); }

fn scale_at(row: u32, strip: u32) -> Scale {
    let both = scales[HEAD + row * (STRIPS / 2u) + strip / 2u] >> (strip % 2u * 16u);
    let factor = 4194304.0 * bitcast<f32>(scales[0]); // 2^22: 2^15 for the codes, 2^7 for the scale
    return Scale(unpack2x16float(((both & 0x7Fu) << 7u) | ((both & 0x7F00u) << 15u)) * factor, vec2<f32>());
}

// pack_codes takes nibbles of each 16 weights, where a byte holds weights i and i + 8. Zeros have no sign.
fn pack_codes(stored: ptr<function, Stored>, strip: u32, packed: ptr<function, Packed>) {
    for (var i = 0u; i < 4u; i++) {
        let at = 4u + strip * 16u + i % 2u * 4u;
        let shift = i / 2u * 4u;
        let w = spread(word_at(stored, at) >> shift) | (spread(word_at(stored, at + 8u) >> shift) << 16u);
        let some = (w | (w >> 1u) | (w >> 2u)) & 0x11111111u;
        (*packed)[i] = w & ((some << 3u) | 0x77777777u);
    }
}
// pack_scales makes 0 of the scale that is no number.
fn pack_scales(stored: ptr<function, Stored>, packed: ptr<function, Packed>) {
    for (var i = 0u; i < 4u; i++) {
        let s = byte_at(stored, i);
        (*packed)[0] |= select(s & 0x7Fu, 0u, s == 0x7Fu) << (i * 8u);
    }
}
