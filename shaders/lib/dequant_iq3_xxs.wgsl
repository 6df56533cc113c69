// Weights in IQ3_XXS: for each strip two words of points, and one of signs and the scale's four bits. The scale of scales of
// eight strips is a word.
//! include: points
//! const STRIPS: u32  strips of 32 weights in a row
const HEAD: u32 = 256u;
const EVEN_SIGNS: bool = true;
const HALVES: bool = false;
@group(0) @binding(1) var<storage, read> codes: array<u32>;
@group(0) @binding(2) var<storage, read> scales: array<u32>;

fn unit_at(row: u32, unit: u32) -> Unit {
    let at = (row * STRIPS + unit / 4u) * 3u;
    let i = unit % 4u;
    let points = vec2<u32>(codes[at], codes[at + 1u]) >> vec2<u32>(i * 8u);
    let w = codes[at + 2u] >> (i / 2u * 7u);
    return Unit(points & vec2<u32>(255u), vec2<u32>(w, w >> 14u), i % 2u * 4u);
}
alias Bits = vec2<u32>;
fn bits_at(row: u32, strip: u32) -> Bits { return vec2<u32>(scales[HEAD + row * (STRIPS / 8u) + strip / 8u], codes[(row * STRIPS + strip) * 3u + 2u]); }
fn scale_of(bits: Bits, strip: u32) -> Scale {
    return Scale(vec2<f32>(unpack2x16float(bits.x).x * (and_half(bits.y >> 28u).x * 0.5)), vec2<f32>());
}

fn pack_codes(stored: ptr<function, Stored>, strip: u32, packed: ptr<function, Packed>) {
    (*packed)[0] = word_at(stored, 2u + strip * 8u);
    (*packed)[1] = word_at(stored, 6u + strip * 8u);
    (*packed)[2] = word_at(stored, 66u + strip * 4u);
}
fn pack_scales(stored: ptr<function, Stored>, packed: ptr<function, Packed>) { (*packed)[0] = half_at(stored, 0u); }
