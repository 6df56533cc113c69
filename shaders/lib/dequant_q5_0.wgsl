// Weights in Q5_0: codes of q+16 in five bits, and scales in f16.
//! include: fifth scales_half pack
const BLOCK_BYTES: u32 = 22u;
const HAS_SCALE: bool = true;
const HAS_MIN: bool = false;
const HALVES: bool = false;
const BASE: vec4<f32> = vec4<f32>(8388624.0, 524304.0, 32784.0, 2064.0);

fn unit_low(u: Unit) -> vec4<f32> { return fifth_low(u, BASE); }
fn unit_high(u: Unit) -> vec4<f32> { return fifth_high(u, BASE); }
fn unit_codes(u: Unit) -> vec2<u32> { return (fifth_codes(u) + 0x70707070u) ^ vec2<u32>(0x80808080u); }

// apart moves a nibble's bits to every fourth.
fn apart(nibble: u32) -> u32 {
    let n = nibble & 15u;
    return (n | (n << 3u) | (n << 6u) | (n << 9u)) & 0x1111u;
}
fn pack_codes(stored: ptr<function, Stored>, strip: u32, packed: ptr<function, Packed>) {
    let at = strip * BLOCK_BYTES;
    let bits = word_at(stored, at + 2u);
    var fifth = 0u;
    for (var i = 0u; i < 4u; i++) {
        let w = word_at(stored, at + 6u + i * 4u);
        (*packed)[i] = spread(w) | (spread(w >> 4u) << 16u);
        fifth |= (apart(bits >> (i * 4u)) | (apart(bits >> (16u + i * 4u)) << 16u)) << i;
    }
    (*packed)[4] = fifth;
}
