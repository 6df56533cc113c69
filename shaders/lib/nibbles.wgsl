// Codes that stand in nibbles, a unit's eight in a word, low in its lower half; what a code has above four bits is in the
// same bits of a second word.

// NIBBLES are powers of two that turn a nibble, or more bits from the same place, into a float exactly and without a
// conversion: at bit p of the mantissa of 2^(23-p) a code adds its value to that power.
const NIBBLES: vec4<f32> = vec4<f32>(8388608.0, 524288.0, 32768.0, 2048.0);
const NIBBLE_BITS: vec4<u32> = vec4<u32>(0x4B000000u, 0x49000000u, 0x47000000u, 0x45000000u);

// nibbles makes floats of a word's four low nibbles, less what base has over NIBBLES.
fn nibbles(w: u32, base: vec4<f32>) -> vec4<f32> {
    let bits = (vec4<u32>(w) & vec4<u32>(0xFu, 0xF0u, 0xF00u, 0xF000u)) | NIBBLE_BITS;
    return bitcast<vec4<f32>>(bits) - base;
}

// nibbles_above does so with the bits of mask from the second word, moved up by four.
fn nibbles_above(w: u32, above: u32, mask: vec4<u32>, base: vec4<f32>) -> vec4<f32> {
    let bits = (vec4<u32>(w) & vec4<u32>(0xFu, 0xF0u, 0xF00u, 0xF000u)) | (vec4<u32>(above << 4u) & mask) | NIBBLE_BITS;
    return bitcast<vec4<f32>>(bits) - base;
}

// nibble_bytes moves a word's four low nibbles to its bytes.
fn nibble_bytes(w: u32) -> u32 {
    let v = (w & 0xFFu) | ((w & 0xFF00u) << 8u);
    return (v | (v << 4u)) & 0x0F0F0F0Fu;
}
