// Q4_K's and Q5_K's scales and minima, 5 words for 8 strips: the scale of scales and that of minima in f16, then for each
// strip a byte of both. A byte becomes a float as nibbles do in nibbles.wgsl.
//! include: pack
//! const STRIPS: u32  strips of 32 weights in a row
alias Bits = vec2<u32>;
fn bits_at(row: u32, strip: u32) -> Bits {
    let at = (row * (STRIPS / 8u) + strip / 8u) * 5u;
    return vec2<u32>(scales[at], scales[at + 1u + (strip % 8u) / 2u]);
}
fn scale_of(bits: Bits, strip: u32) -> Scale {
    let two = unpack2x16float(bits.x);
    let both = bits.y >> ((strip % 2u) * 16u);
    let scale = two.x * (bitcast<f32>((both & 0xFFu) | 0x4B000000u) - 8388608.0);
    let least = two.y * (bitcast<f32>((both & 0xFF00u) | 0x47000000u) - 32768.0);
    return Scale(vec2<f32>(scale), vec2<f32>(-least));
}

// six_bits finds a strip's scale and minimum, which the file packs in six bits each.
fn six_bits(stored: ptr<function, Stored>, strip: u32) -> u32 {
    let byte = byte_at(stored, 4u + strip);
    let next = byte_at(stored, 8u + strip);
    if strip < 4u {
        return (byte & 63u) | ((next & 63u) << 8u);
    }
    let before = byte_at(stored, strip);
    return (next & 15u) | ((before >> 6u) << 4u) | ((next >> 4u) << 8u) | ((byte >> 6u) << 12u);
}
fn pack_scales(stored: ptr<function, Stored>, packed: ptr<function, Packed>) {
    (*packed)[0] = word_at(stored, 0u);
    for (var i = 0u; i < 4u; i++) {
        (*packed)[1u + i] = six_bits(stored, i * 2u) | (six_bits(stored, i * 2u + 1u) << 16u);
    }
}
