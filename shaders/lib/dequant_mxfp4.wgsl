// Weights in MXFP4: codes of E2M1, and for each strip a byte, the exponent of its scale.
//! include: e2m1 no_table pack
//! const STRIPS: u32  strips of 32 weights in a row
const BLOCK_BYTES: u32 = 17u;
const HAS_SCALE: bool = true;
const HAS_MIN: bool = false;
const HALVES: bool = false;

// Codes are made as large as they are by themselves: with the factor some scales would be too large for a float.
fn unit_low(u: Unit) -> vec4<f32> { return small_low(u) * 32768.0; }
fn unit_high(u: Unit) -> vec4<f32> { return small_high(u) * 32768.0; }
fn unit_either(u: Unit, high: bool) -> vec4<f32> { return unit_low(select(u, u >> 16u, high)); }

alias Bits = u32;
fn bits_at(row: u32, strip: u32) -> Bits { return scales[row * ((STRIPS + 3u) / 4u) + strip / 4u]; }
fn scale_of(bits: Bits, strip: u32) -> Scale {
    let e = (bits >> (strip % 4u * 8u)) & 0xFFu;
    return Scale(vec2<f32>(bitcast<f32>(select((e - 1u) << 23u, 0x00200000u << (e % 2u), e < 2u))), vec2<f32>());
}

fn pack_codes(stored: ptr<function, Stored>, strip: u32, packed: ptr<function, Packed>) {
    for (var i = 0u; i < 4u; i++) {
        let w = word_at(stored, strip * BLOCK_BYTES + 1u + i * 4u);
        (*packed)[i] = signed_codes(spread(w) | (spread(w >> 4u) << 16u));
    }
}
fn pack_scales(stored: ptr<function, Stored>, packed: ptr<function, Packed>) {
    for (var i = 0u; i < 4u; i++) {
        (*packed)[0] |= byte_at(stored, i * BLOCK_BYTES) << (i * 8u);
    }
}
