// Weights in IQ2_XS: for each strip four halves of a word, a point in nine bits and seven signs. Scales of eight strips are
// 3 words: the scale of scales in f16, then a nibble for each 16 weights.
//! include: points
//! const STRIPS: u32  strips of 32 weights in a row
const HEAD: u32 = 1024u;
const EVEN_SIGNS: bool = true;
const HALVES: bool = true;
@group(0) @binding(1) var<storage, read> codes: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read> scales: array<u32>;

fn unit_at(row: u32, unit: u32) -> Unit {
    let w = codes[row * STRIPS + unit / 4u] >> vec2<u32>(unit % 4u / 2u * 16u);
    let half = unit % 2u;
    return Unit((w & vec2<u32>(511u)) * 2u + half, w >> vec2<u32>(9u), half * 4u);
}
alias Bits = vec2<u32>;
fn bits_at(row: u32, strip: u32) -> Bits {
    let at = HEAD + (row * (STRIPS / 8u) + strip / 8u) * 3u;
    return vec2<u32>(scales[at], scales[at + 1u + strip % 8u / 4u]);
}
fn scale_of(bits: Bits, strip: u32) -> Scale {
    return Scale(unpack2x16float(bits.x).x * (and_half(bits.y >> (strip % 4u * 8u)) * 0.25), vec2<f32>());
}

fn pack_codes(stored: ptr<function, Stored>, strip: u32, packed: ptr<function, Packed>) {
    (*packed)[0] = word_at(stored, 2u + strip * 8u);
    (*packed)[1] = word_at(stored, 6u + strip * 8u);
}
fn pack_scales(stored: ptr<function, Stored>, packed: ptr<function, Packed>) {
    (*packed)[0] = half_at(stored, 0u);
    (*packed)[1] = word_at(stored, 66u);
    (*packed)[2] = word_at(stored, 70u);
}
