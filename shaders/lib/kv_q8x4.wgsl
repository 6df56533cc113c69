// Reading KV cache rows of 8-bit integers whose head dim is a multiple of 4.
//! include: kv_q8_bytes
fn k_column(at: u32, c: u32) -> vec4<f32> {
    return kv_bytes(k_cache[at + c]) * unpack2x16float(k_cache[at + KV_QUANTS]).x;
}
fn v_column(at: u32, c: u32) -> vec4<f32> {
    return kv_bytes(v_cache[at + c]) * unpack2x16float(v_cache[at + KV_QUANTS]).x;
}
