// A scale in f16 for each strip, two a word.
//! include: pack
//! const STRIPS: u32       strips of 32 weights in a row
//! const HEAD: u32         words before the first row's
//! const BLOCK_BYTES: u32  bytes of a block of the file, which begins with its scale
alias Bits = u32;
fn bits_at(row: u32, strip: u32) -> Bits { return scales[HEAD + row * ((STRIPS + 1u) / 2u) + (strip >> 1u)]; }
fn scale_of(bits: Bits, strip: u32) -> Scale {
    let pair = unpack2x16float(bits);
    return Scale(vec2<f32>(select(pair.x, pair.y, (strip & 1u) == 1u)), vec2<f32>());
}
fn pack_scales(stored: ptr<function, Stored>, packed: ptr<function, Packed>) {
    (*packed)[0] = half_at(stored, 0u) | (half_at(stored, BLOCK_BYTES) << 16u);
}
