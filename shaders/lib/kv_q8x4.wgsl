// Reading KV cache rows of 8-bit integers whose head dim is a multiple of 4.
//! include: kv_q8_bytes
fn k_column(row: u32, c: u32) -> vec4<f32> {
    return kv_bytes(k_cache[row * KV_ROW + c]) * unpack2x16float(k_cache[row * KV_ROW + KV_QUANTS]).x;
}
fn v_column(row: u32, c: u32) -> vec4<f32> {
    return kv_bytes(v_cache[row * KV_ROW + c]) * unpack2x16float(v_cache[row * KV_ROW + KV_QUANTS]).x;
}
