// Weights in IQ2_S: for each strip a word of four points' low bits, and one of signs. Scales of eight strips are 5 words: the scale
// of scales in f16, then for each strip a byte of the points' upper bits and one of a nibble of scale for each 16 weights.
//! include: points
//! const STRIPS: u32  strips of 32 weights in a row
const HEAD: u32 = 2048u;
const EVEN_SIGNS: bool = false;
const HALVES: bool = true;
@group(0) @binding(1) var<storage, read> codes: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read> scales: array<u32>;

// beside gives a strip's upper bits and scales.
fn beside(row: u32, strip: u32) -> u32 {
    return scales[HEAD + (row * (STRIPS / 8u) + strip / 8u) * 5u + 1u + strip % 8u / 2u] >> (strip % 2u * 16u);
}
fn unit_at(row: u32, unit: u32) -> Unit {
    let w = codes[row * STRIPS + unit / 4u];
    let p = unit % 4u / 2u;
    let half = unit % 2u;
    let upper = beside(row, unit / 4u) >> (p * 2u);
    let points = vec2<u32>(extractBits(w.x, p * 8u, 8u), extractBits(w.x, 16u + p * 8u, 8u));
    let above = vec2<u32>(upper & 3u, (upper >> 4u) & 3u) << vec2<u32>(8u);
    return Unit((points | above) * 2u + half, vec2<u32>(w.y >> (p * 8u + half * 4u), w.y >> (16u + p * 8u + half * 4u)), 0u);
}
alias Bits = vec2<u32>;
fn bits_at(row: u32, strip: u32) -> Bits { return vec2<u32>(scales[HEAD + (row * (STRIPS / 8u) + strip / 8u) * 5u], beside(row, strip)); }
fn scale_of(bits: Bits, strip: u32) -> Scale {
    return Scale(unpack2x16float(bits.x).x * (and_half(bits.y >> 8u) * 0.25), vec2<f32>());
}

fn pack_codes(stored: ptr<function, Stored>, strip: u32, packed: ptr<function, Packed>) {
    (*packed)[0] = word_at(stored, 2u + strip * 4u);
    (*packed)[1] = word_at(stored, 34u + strip * 4u);
}
fn pack_scales(stored: ptr<function, Stored>, packed: ptr<function, Packed>) {
    (*packed)[0] = half_at(stored, 0u);
    for (var strip = 0u; strip < 8u; strip++) {
        (*packed)[1u + strip / 2u] |= (byte_at(stored, 66u + strip) | (byte_at(stored, 74u + strip) << 8u)) << (strip % 2u * 16u);
    }
}
