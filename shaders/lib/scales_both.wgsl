// For each strip a word with scale and minimum in f16, which a block of the file begins with.
//! include: pack
//! const STRIPS: u32  strips of 32 weights in a row
alias Bits = u32;
fn bits_at(row: u32, strip: u32) -> Bits { return scales[row * STRIPS + strip]; }
fn scale_of(bits: Bits, strip: u32) -> Scale {
    let both = unpack2x16float(bits);
    return Scale(both.xx, both.yy);
}
fn pack_scales(stored: ptr<function, Stored>, packed: ptr<function, Packed>) { (*packed)[0] = word_at(stored, 0u); }
