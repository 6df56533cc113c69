// Weights in IQ3_S: for each strip two words of points' low bits, and one of signs. Scales of eight strips are 4 words: the scale of
// scales in f16, a byte a strip of the points' ninth bits, and a nibble a strip of scales.
//! include: points
//! const STRIPS: u32  strips of 32 weights in a row
const HEAD: u32 = 512u;
const EVEN_SIGNS: bool = false;
const HALVES: bool = false;
@group(0) @binding(1) var<storage, read> codes: array<u32>;
@group(0) @binding(2) var<storage, read> scales: array<u32>;

fn unit_at(row: u32, unit: u32) -> Unit {
    let strip = unit / 4u;
    let at = (row * STRIPS + strip) * 3u;
    let i = unit % 4u;
    let points = (vec2<u32>(codes[at], codes[at + 1u]) >> vec2<u32>(i * 8u)) & vec2<u32>(255u);
    let ninth = scales[HEAD + (row * (STRIPS / 8u) + strip / 8u) * 4u + 1u + strip % 8u / 4u] >> (strip % 4u * 8u + i);
    let signs = codes[at + 2u] >> (i * 4u);
    return Unit(points | (vec2<u32>(ninth & 1u, (ninth >> 4u) & 1u) << vec2<u32>(8u)), vec2<u32>(signs, signs >> 16u), 0u);
}
alias Bits = vec2<u32>;
fn bits_at(row: u32, strip: u32) -> Bits {
    let at = HEAD + (row * (STRIPS / 8u) + strip / 8u) * 4u;
    return vec2<u32>(scales[at], scales[at + 3u]);
}
fn scale_of(bits: Bits, strip: u32) -> Scale {
    let s = and_half(bits.y >> (strip % 8u * 4u)).x * 2.0;
    return Scale(vec2<f32>(unpack2x16float(bits.x).x * s), vec2<f32>());
}

fn pack_codes(stored: ptr<function, Stored>, strip: u32, packed: ptr<function, Packed>) {
    (*packed)[0] = word_at(stored, 2u + strip * 8u);
    (*packed)[1] = word_at(stored, 6u + strip * 8u);
    (*packed)[2] = word_at(stored, 74u + strip * 4u);
}
fn pack_scales(stored: ptr<function, Stored>, packed: ptr<function, Packed>) {
    (*packed)[0] = half_at(stored, 0u);
    (*packed)[1] = word_at(stored, 66u);
    (*packed)[2] = word_at(stored, 70u);
    (*packed)[3] = word_at(stored, 106u);
}
