// Weights in NVFP4: codes of a table, and for each 16 a byte, the scale as E4M3 without a sign, of which f16 has all bits.
//! include: table_values
//! const STRIPS: u32  strips of 32 weights in a row
const HALVES: bool = true;

fn scale_at(row: u32, strip: u32) -> Scale {
    let both = scales[HEAD + row * (STRIPS / 2u) + strip / 2u] >> (strip % 2u * 16u);
    return Scale(unpack2x16float(((both & 0x7Fu) << 7u) | ((both & 0x7F00u) << 15u)) * 128.0, vec2<f32>());
}

// pack_codes takes nibbles of each 16 weights, where a byte holds weights i and i + 8.
fn pack_codes(stored: ptr<function, Stored>, strip: u32, packed: ptr<function, Packed>) {
    for (var i = 0u; i < 4u; i++) {
        let at = 4u + strip * 16u + i % 2u * 4u;
        let shift = i / 2u * 4u;
        (*packed)[i] = spread(word_at(stored, at) >> shift) | (spread(word_at(stored, at + 8u) >> shift) << 16u);
    }
}
// pack_scales makes 0 of the scale that is no number.
fn pack_scales(stored: ptr<function, Stored>, packed: ptr<function, Packed>) {
    for (var i = 0u; i < 4u; i++) {
        let s = byte_at(stored, i);
        (*packed)[0] |= select(s & 0x7Fu, 0u, s == 0x7Fu) << (i * 8u);
    }
}
