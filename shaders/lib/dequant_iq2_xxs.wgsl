// Weights in IQ2_XXS: for each strip a word of four points, and one of their signs and the scale's four bits. The scale of scales
// of eight strips is a word.
//! include: points
//! const STRIPS: u32  strips of 32 weights in a row
const HEAD: u32 = 512u;
const EVEN_SIGNS: bool = true;
const HALVES: bool = false;
@group(0) @binding(1) var<storage, read> codes: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read> scales: array<u32>;

fn unit_at(row: u32, unit: u32) -> Unit {
    let w = codes[row * STRIPS + unit / 4u];
    let p = unit % 4u / 2u;
    let half = unit % 2u;
    let points = vec2<u32>(extractBits(w.x, p * 8u, 8u), extractBits(w.x, 16u + p * 8u, 8u));
    return Unit(points * 2u + half, vec2<u32>(w.y >> (p * 7u), w.y >> (14u + p * 7u)), half * 4u);
}
alias Bits = vec2<u32>;
fn bits_at(row: u32, strip: u32) -> Bits { return vec2<u32>(scales[HEAD + row * (STRIPS / 8u) + strip / 8u], codes[row * STRIPS + strip].y); }
fn scale_of(bits: Bits, strip: u32) -> Scale {
    return Scale(vec2<f32>(unpack2x16float(bits.x).x * (and_half(bits.y >> 28u).x * 0.25)), vec2<f32>());
}

fn pack_codes(stored: ptr<function, Stored>, strip: u32, packed: ptr<function, Packed>) {
    (*packed)[0] = word_at(stored, 2u + strip * 8u);
    (*packed)[1] = word_at(stored, 6u + strip * 8u);
}
fn pack_scales(stored: ptr<function, Stored>, packed: ptr<function, Packed>) { (*packed)[0] = half_at(stored, 0u); }
