// Queries of f16, two a word, a head padded to whole words (see q_f32).
//! include: q_words
fn q_open(a: u32, b: u32) -> vec4<f32> { return vec4<f32>(unpack2x16float(a), unpack2x16float(b)); }
