// Weights in IQ1_S: for each strip a word of four points' low bits. Scales of eight strips are 5 words: the scale of scales in
// f16, then for each strip three upper bits of each point, three bits of scale, and whether weights are an eighth less.
//! include: ternary_points
//! const STRIPS: u32  strips of 32 weights in a row
const HALVES: bool = false;

fn beside(row: u32, strip: u32) -> u32 {
    return scales[HEAD + (row * (STRIPS / 8u) + strip / 8u) * 5u + 1u + strip % 8u / 2u] >> (strip % 2u * 16u);
}
fn unit_at(row: u32, unit: u32) -> Unit {
    let p = unit % 4u / 2u;
    let low = codes[row * STRIPS + unit / 4u] >> (p * 8u);
    let more = beside(row, unit / 4u);
    let upper = more >> (p * 3u);
    let points = vec2<u32>(low & 255u, (low >> 16u) & 255u) | (vec2<u32>(upper & 7u, (upper >> 6u) & 7u) << vec2<u32>(8u));
    return ternary_unit(points, unit % 2u, vec2<bool>((more & 0x8000u) != 0u));
}
alias Bits = vec2<u32>;
fn bits_at(row: u32, strip: u32) -> Bits { return vec2<u32>(scales[HEAD + (row * (STRIPS / 8u) + strip / 8u) * 5u], beside(row, strip)); }
fn scale_of(bits: Bits, strip: u32) -> Scale {
    return Scale(vec2<f32>(unpack2x16float(bits.x).x * odd_eighth(bits.y >> 12u)), vec2<f32>());
}

fn pack_codes(stored: ptr<function, Stored>, strip: u32, packed: ptr<function, Packed>) { (*packed)[0] = word_at(stored, 2u + strip * 4u); }
fn pack_scales(stored: ptr<function, Stored>, packed: ptr<function, Packed>) {
    (*packed)[0] = half_at(stored, 0u);
    for (var i = 0u; i < 4u; i++) {
        (*packed)[1u + i] = word_at(stored, 34u + i * 4u);
    }
}
