// Weights in IQ1_M: for each strip a word of four points' low bits. Scales of eight strips are 7 words: the scale of scales in
// f16, then for each point a nibble of three upper bits and whether its weights are an eighth less, then a nibble of scale
// for each 16 weights.
//! include: ternary_points
//! const STRIPS: u32  strips of 32 weights in a row
const HALVES: bool = true;

fn unit_at(row: u32, unit: u32) -> Unit {
    let strip = unit / 4u;
    let p = unit % 4u / 2u;
    let low = codes[row * STRIPS + strip] >> (p * 8u);
    let more = scales[HEAD + (row * (STRIPS / 8u) + strip / 8u) * 7u + 1u + strip % 8u / 2u] >> (strip % 2u * 16u + p * 4u);
    let points = vec2<u32>(low & 255u, (low >> 16u) & 255u) | (vec2<u32>(more & 7u, (more >> 8u) & 7u) << vec2<u32>(8u));
    return ternary_unit(points, unit % 2u, vec2<bool>((more & 8u) != 0u, (more & 0x800u) != 0u));
}
alias Bits = vec2<u32>;
fn bits_at(row: u32, strip: u32) -> Bits {
    let at = HEAD + (row * (STRIPS / 8u) + strip / 8u) * 7u;
    return vec2<u32>(scales[at], scales[at + 5u + strip % 8u / 4u]);
}
fn scale_of(bits: Bits, strip: u32) -> Scale {
    let both = bits.y >> (strip % 4u * 8u);
    return Scale(unpack2x16float(bits.x).x * vec2<f32>(odd_eighth(both), odd_eighth(both >> 4u)), vec2<f32>());
}

fn pack_codes(stored: ptr<function, Stored>, strip: u32, packed: ptr<function, Packed>) { (*packed)[0] = word_at(stored, strip * 4u); }

// pack_scales gathers the scale of scales from the upper nibbles of four halves of a word, whose other bits are four scales each.
fn pack_scales(stored: ptr<function, Stored>, packed: ptr<function, Packed>) {
    for (var i = 0u; i < 4u; i++) {
        let four = half_at(stored, 48u + i * 2u);
        (*packed)[0] |= (four >> 12u) << (i * 4u);
        (*packed)[1u + i] = word_at(stored, 32u + i * 4u);
        let nibbles = (four & 7u) | ((four & 0x38u) << 1u) | ((four & 0x1C0u) << 2u) | ((four & 0xE00u) << 3u);
        (*packed)[5u + i / 2u] |= nibbles << (i % 2u * 16u);
    }
}
