// Writing KV cache rows of f32: a word is one element.
//! const HEAD_DIM: u32  elements of a head
const KV_ELEMENTS: u32 = 1u;
const KV_ROW: u32 = HEAD_DIM;
fn kv_word(a: f32, b: f32) -> u32 { return bitcast<u32>(a); }
