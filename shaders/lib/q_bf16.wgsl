// Queries of bfloat16, two a word, a head padded to whole words (see q_f32).
//! include: q_words
fn q_open(a: u32, b: u32) -> vec4<f32> {
    return bitcast<vec4<f32>>(vec4<u32>(a << 16u, a & 0xFFFF0000u, b << 16u, b & 0xFFFF0000u));
}
