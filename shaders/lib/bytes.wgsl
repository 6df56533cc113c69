// Floats of a word's four bytes, exactly and without a conversion: a byte at bit p of the mantissa of 2^(23-p) adds its value to
// that power of two.
const BYTES: vec4<f32> = vec4<f32>(8388608.0, 32768.0, 8388608.0, 32768.0);

// bytes_less gives them less what base has over BYTES.
fn bytes_less(w: u32, base: vec4<f32>) -> vec4<f32> {
    let h = w >> 16u;
    let bits = (vec4<u32>(w, w, h, h) & vec4<u32>(0xFFu, 0xFF00u, 0xFFu, 0xFF00u))
        | vec4<u32>(0x4B000000u, 0x47000000u, 0x4B000000u, 0x47000000u);
    return bitcast<vec4<f32>>(bits) - base;
}

// small_integers packs floats that are integers as bytes.
fn small_integers(x: vec4<f32>) -> u32 {
    let bytes = (bitcast<vec4<u32>>(vec4<i32>(x)) & vec4<u32>(255u)) << vec4<u32>(0u, 8u, 16u, 24u);
    return bytes.x | bytes.y | bytes.z | bytes.w;
}
