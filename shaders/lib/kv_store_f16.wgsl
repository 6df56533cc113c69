// Writing KV cache rows of f16: a word is two elements, kept inside the range of f16; what is no number stays none.
//! include: number
//! const HEAD_DIM: u32  elements of a head
const KV_ELEMENTS: u32 = 2u;
const KV_ROW: u32 = (HEAD_DIM + 1u) / 2u;
fn kv_word(a: f32, b: f32) -> u32 {
    let word = pack2x16float(clamp(vec2<f32>(a, b), vec2<f32>(-65504.0), vec2<f32>(65504.0)));
    let low = select(word & 0xFFFFu, 0x7E00u, no_number(a));
    return low | select(word & 0xFFFF0000u, 0x7E000000u, no_number(b));
}
