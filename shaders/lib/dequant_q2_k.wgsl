// Weights in Q2_K: codes of two bits. Scales and minima of eight strips are 5 words: the scale of scales and that of minima in
// f16, then a nibble of both for each 16 weights.
//! include: twos no_table
//! const STRIPS: u32  strips of 32 weights in a row
const HAS_SCALE: bool = true;
const HAS_MIN: bool = true;
const HALVES: bool = true;
alias Unit = u32;
@group(0) @binding(1) var<storage, read> codes: array<u32>;
@group(0) @binding(2) var<storage, read> scales: array<u32>;

fn unit_at(row: u32, unit: u32) -> Unit { return codes[row * (STRIPS * 2u) + unit / 2u] >> (unit % 2u * 16u); }
fn unit_low(u: Unit) -> vec4<f32> { return twos(u, NIBBLES); }
fn unit_high(u: Unit) -> vec4<f32> { return twos(u >> 2u, NIBBLES); }
fn unit_either(u: Unit, high: bool) -> vec4<f32> { return unit_low(select(u, u >> 2u, high)); }
fn unit_codes(u: Unit) -> vec2<u32> { return two_bytes(u); }
alias Bits = vec2<u32>;
fn bits_at(row: u32, strip: u32) -> Bits {
    let at = (row * (STRIPS / 8u) + strip / 8u) * 5u;
    return vec2<u32>(scales[at], scales[at + 1u + (strip % 8u) / 2u]);
}
fn scale_of(bits: Bits, strip: u32) -> Scale {
    let two = unpack2x16float(bits.x);
    let both = nibbles(bits.y >> (strip % 2u * 16u), NIBBLES);
    return Scale(two.x * both.xz, -two.y * both.yw);
}

fn pack_codes(stored: ptr<function, Stored>, strip: u32, packed: ptr<function, Packed>) { pack_twos(stored, 16u + strip / 4u * 32u, strip % 4u, packed); }
fn pack_scales(stored: ptr<function, Stored>, packed: ptr<function, Packed>) {
    (*packed)[0] = word_at(stored, 80u);
    for (var i = 0u; i < 4u; i++) {
        (*packed)[1u + i] = word_at(stored, i * 4u);
    }
}
