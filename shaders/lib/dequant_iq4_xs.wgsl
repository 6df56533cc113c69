// Weights in IQ4_XS: codes of a table, and for two strips a word of scales: the scale of scales in f16 and a byte of s+128 of
// either.
//! include: table_values
//! const STRIPS: u32  strips of 32 weights in a row
const HALVES: bool = false;

alias Bits = u32;
fn bits_at(row: u32, strip: u32) -> Bits { return scales[HEAD + row * (STRIPS / 2u) + strip / 2u]; }
fn scale_of(bits: Bits, strip: u32) -> Scale {
    let s = bitcast<f32>(((bits >> (16u + strip % 2u * 8u)) & 0xFFu) | 0x4B000000u) - 8388736.0;
    return Scale(vec2<f32>(unpack2x16float(bits).x * s), vec2<f32>());
}

fn pack_codes(stored: ptr<function, Stored>, strip: u32, packed: ptr<function, Packed>) { pack_halves(stored, 8u + strip * 16u, packed); }

// pack_scales finds of each scale of s+32 the low four bits in a nibble, and the upper two.
fn pack_scales(stored: ptr<function, Stored>, packed: ptr<function, Packed>) {
    let first = word_at(stored, 0u);
    for (var i = 0u; i < 4u; i++) {
        let low = byte_at(stored, 4u + i);
        let upper = first >> (16u + i * 4u);
        let even = ((low & 15u) | ((upper & 3u) << 4u)) + 96u;
        let odd = ((low >> 4u) | ((upper & 12u) << 2u)) + 96u;
        (*packed)[i] = (first & 0xFFFFu) | (even << 16u) | (odd << 24u);
    }
}
