// Reading KV cache rows of 8-bit integers, any head dim.
//! include: kv_q8_bytes
//! const HEAD_DIM: u32  elements of a head
fn kv_open(w: u32, scale: u32, c: u32) -> vec4<f32> {
    let e = vec4<u32>(4u * c) + vec4<u32>(0u, 1u, 2u, 3u);
    return select(vec4<f32>(0.0), kv_bytes(w) * unpack2x16float(scale).x, e < vec4<u32>(HEAD_DIM));
}
fn k_column(at: u32, c: u32) -> vec4<f32> {
    return kv_open(k_cache[at + c], k_cache[at + KV_QUANTS], c);
}
fn v_column(at: u32, c: u32) -> vec4<f32> {
    return kv_open(v_cache[at + c], v_cache[at + KV_QUANTS], c);
}
