// Codes of two bits, a word two units: of a unit's 16 bits code k of low is in bits 4k and 4k + 1, that of high above it.
//! include: nibbles pack
const TWO: vec4<u32> = vec4<u32>(0x3u, 0x30u, 0x300u, 0x3000u);

// twos makes floats of codes, less what base has over NIBBLES.
fn twos(w: u32, base: vec4<f32>) -> vec4<f32> { return bitcast<vec4<f32>>((vec4<u32>(w) & TWO) | NIBBLE_BITS) - base; }
fn two_bytes(u: u32) -> vec2<u32> { return vec2<u32>(nibble_bytes(u & 0x3333u), nibble_bytes((u >> 2u) & 0x3333u)); }

// pack_twos takes a strip of bytes of four codes, the s-th in each of its four of 128 weights.
fn pack_twos(stored: ptr<function, Stored>, at: u32, s: u32, packed: ptr<function, Packed>) {
    for (var i = 0u; i < 4u; i++) {
        let low = spread((word_at(stored, at + i * 4u) >> (s * 2u)) & 0x03030303u);
        let high = spread((word_at(stored, at + 16u + i * 4u) >> (s * 2u)) & 0x03030303u);
        (*packed)[i / 2u] |= (low | (high << 2u)) << (i % 2u * 16u);
    }
}
