// Weights in MXFP4: codes of a table, and for each strip a byte, the exponent of its scale.
//! include: table_values
//! const STRIPS: u32  strips of 32 weights in a row
const BLOCK_BYTES: u32 = 17u;
const HALVES: bool = false;

fn table_entry(four: u32, one: u32) -> u32 { return entry_of(vec4<u32>(0x83828180u, 0x8C888684u, 0x7D7E7F80u, 0x74787A7Cu), four, one); }

fn scale_at(row: u32, strip: u32) -> Scale {
    let e = (scales[HEAD + row * ((STRIPS + 3u) / 4u) + strip / 4u] >> (strip % 4u * 8u)) & 0xFFu;
    return Scale(vec2<f32>(bitcast<f32>(select((e - 1u) << 23u, 0x00200000u << (e % 2u), e < 2u))), vec2<f32>());
}

fn pack_codes(stored: ptr<function, Stored>, strip: u32, packed: ptr<function, Packed>) { pack_halves(stored, strip * BLOCK_BYTES + 1u, packed); }
fn pack_scales(stored: ptr<function, Stored>, packed: ptr<function, Packed>) {
    for (var i = 0u; i < 4u; i++) {
        (*packed)[0] |= byte_at(stored, i * BLOCK_BYTES) << (i * 8u);
    }
}
