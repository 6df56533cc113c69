// Writing KV cache rows of f16: a word is two elements, kept inside the range of f16.
const KV_ELEMENTS: u32 = 2u;
const KV_ROW: u32 = (HEAD_DIM + 1u) / 2u;
fn kv_word(a: f32, b: f32) -> u32 {
    return pack2x16float(clamp(vec2<f32>(a, b), vec2<f32>(-65504.0), vec2<f32>(65504.0)));
}
