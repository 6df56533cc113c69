// KV cache rows of 8-bit integers with a scale a row: words of four bytes q+128, then a word whose low half is the f16
// scale (see kv_f32).
//! const HEAD_DIM: u32  elements of a head
alias KvUnit = u32;
const KV_QUANTS: u32 = (HEAD_DIM + 3u) / 4u;
const KV_ROW: u32 = KV_QUANTS + 1u;
fn kv_place(row: u32, pad: u32) -> u32 { return row * KV_ROW + pad; }

// kv_bytes makes floats of a word's four integers, exactly and without a conversion: a byte at bit p of the mantissa of
// 2^(23-p) adds its value to that power of two.
fn kv_bytes(w: u32) -> vec4<f32> {
    let h = w >> 16u;
    let bits = (vec4<u32>(w, w, h, h) & vec4<u32>(0xFFu, 0xFF00u, 0xFFu, 0xFF00u))
        | vec4<u32>(0x4B000000u, 0x47000000u, 0x4B000000u, 0x47000000u);
    return bitcast<vec4<f32>>(bits) - vec4<f32>(8388736.0, 32896.0, 8388736.0, 32896.0);
}
