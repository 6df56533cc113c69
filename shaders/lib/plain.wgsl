// What types without scales share.
//! include: pack no_table either
const HAS_SCALE: bool = false;
const HAS_MIN: bool = false;
const HALVES: bool = false;

alias Bits = u32;
fn bits_at(row: u32, strip: u32) -> Bits { return 0u; }
fn scale_of(bits: Bits, strip: u32) -> Scale { return Scale(vec2<f32>(1.0), vec2<f32>()); }
fn pack_scales(stored: ptr<function, Stored>, packed: ptr<function, Packed>) {}

// pack_plain puts a strip's words, some for four weights, in the order of units.
fn pack_plain(stored: ptr<function, Stored>, packed: ptr<function, Packed>, words: u32) {
    for (var i = 0u; i < 4u; i++) {
        //! turns: 4u
        for (var j = 0u; j < words; j++) {
            (*packed)[i * 2u * words + j] = (*stored)[i * words + j];
            (*packed)[(i * 2u + 1u) * words + j] = (*stored)[(4u + i) * words + j];
        }
    }
}
