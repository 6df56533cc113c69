// Weights in NVFP4: codes of E2M1, and for each 16 a byte, the scale as E4M3 without a sign, which f16 has all bits of too. Before the
// scales stands a factor of all weights.
//! include: e2m1 pack
//! const STRIPS: u32  strips of 32 weights in a row
const HEAD: u32 = 1u;
const CODE_UNIT: f32 = E2M1_UNIT;
const HAS_SCALE: bool = true;
const HAS_MIN: bool = false;
const HALVES: bool = true;

fn unit_low(u: Unit) -> vec4<f32> { return small_low(u); }
fn unit_high(u: Unit) -> vec4<f32> { return small_high(u); }
fn unit_either(u: Unit, high: bool) -> vec4<f32> { return unit_low(select(u, u >> 16u, high)); }

alias Bits = u32;
fn bits_at(row: u32, strip: u32) -> Bits { return scales[HEAD + row * (STRIPS / 2u) + strip / 2u]; }
fn scale_of(bits: Bits, strip: u32) -> Scale {
    let both = bits >> (strip % 2u * 16u);
    let factor = 4194304.0 * bitcast<f32>(scales[0]); // 2^22: 2^15 for the codes, 2^7 for the scale
    return Scale(unpack2x16float(((both & 0x7Fu) << 7u) | ((both & 0x7F00u) << 15u)) * factor, vec2<f32>());
}

// pack_codes takes nibbles of each 16 weights, where a byte holds weights i and i + 8.
fn pack_codes(stored: ptr<function, Stored>, strip: u32, packed: ptr<function, Packed>) {
    for (var i = 0u; i < 4u; i++) {
        let at = 4u + strip * 16u + i % 2u * 4u;
        let shift = i / 2u * 4u;
        let w = spread(word_at(stored, at) >> shift) | (spread(word_at(stored, at + 8u) >> shift) << 16u);
        (*packed)[i] = signed_codes(w);
    }
}
// pack_scales makes 0 of the scale that is no number.
fn pack_scales(stored: ptr<function, Stored>, packed: ptr<function, Packed>) {
    for (var i = 0u; i < 4u; i++) {
        let s = byte_at(stored, i);
        (*packed)[0] |= select(s & 0x7Fu, 0u, s == 0x7Fu) << (i * 8u);
    }
}
