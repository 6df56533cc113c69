// Codes of a sign, two bits of exponent and one of mantissa (E2M1), a unit's eight in a word, which f16 has all bits of, with smaller
// exponents: what they open to is 2^-15 of twice their values.
//! include: bytes
//! const STRIPS: u32  strips of 32 weights in a row
const E2M1_UNIT: f32 = 3.0517578125e-05; // 2^-15
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
fn small_low(u: Unit) -> vec4<f32> { return vec4<f32>(first_pair(u).x, second_pair(u).x, third_pair(u).x, fourth_pair(u).x); }
fn small_high(u: Unit) -> vec4<f32> { return vec4<f32>(first_pair(u).y, second_pair(u).y, third_pair(u).y, fourth_pair(u).y); }
fn unit_codes(u: Unit) -> vec2<u32> { return vec2<u32>(small_integers(small_low(u) * 32768.0), small_integers(small_high(u) * 32768.0)); }

// signed_codes takes the sign from zeros.
fn signed_codes(w: u32) -> u32 {
    let some = (w | (w >> 1u) | (w >> 2u)) & 0x11111111u;
    return w & ((some << 3u) | 0x77777777u);
}
