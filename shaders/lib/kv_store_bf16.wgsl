// Writing KV cache rows of bfloat16: a word is two elements, rounded to nearest, ties to even, and kept finite; what is
// no number stays none.
//! include: number
//! const HEAD_DIM: u32  elements of a head
const KV_ELEMENTS: u32 = 2u;
const KV_ROW: u32 = (HEAD_DIM + 1u) / 2u;
const BF16_MAX: f32 = 3.3895313892515355e38;
fn kv_word(a: f32, b: f32) -> u32 {
    let bits = bitcast<vec2<u32>>(clamp(vec2<f32>(a, b), vec2<f32>(-BF16_MAX), vec2<f32>(BF16_MAX)));
    let rounded = bits + 0x7FFFu + ((bits >> vec2<u32>(16u)) & vec2<u32>(1u));
    let low = select(rounded.x >> 16u, 0x7FC0u, no_number(a));
    return low | select(rounded.y & 0xFFFF0000u, 0x7FC00000u, no_number(b));
}
