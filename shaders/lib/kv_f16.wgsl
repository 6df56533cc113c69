// KV cache rows of f16, two a word, any head dim (see kv_f32).
//! include: kv_pairs
//! const HEAD_DIM: u32  elements of a head

fn kv_join(a: u32, b: u32, c: u32) -> vec4<f32> {
    let x = vec4<f32>(unpack2x16float(a), unpack2x16float(b));
    let e = vec4<u32>(4u * c) + vec4<u32>(0u, 1u, 2u, 3u);
    return select(vec4<f32>(0.0), x, e < vec4<u32>(HEAD_DIM));
}
