// KV cache rows of bfloat16, two a word, any head dim (see kv_f32). A bfloat16 is the upper half of an f32.
//! include: kv_pairs
//! const HEAD_DIM: u32  elements of a head

fn kv_join(a: u32, b: u32, c: u32) -> vec4<f32> {
    let bits = vec4<u32>(a << 16u, a & 0xFFFF0000u, b << 16u, b & 0xFFFF0000u);
    let e = vec4<u32>(4u * c) + vec4<u32>(0u, 1u, 2u, 3u);
    return bitcast<vec4<f32>>(select(vec4<u32>(0u), bits, e < vec4<u32>(HEAD_DIM)));
}
