// Weights in Q5_K: codes in five bits, and scales and minima of eight strips together.
//! include: fifth scales_k
const HAS_SCALE: bool = true;
const HAS_MIN: bool = true;
const HALVES: bool = false;

fn unit_low(u: Unit) -> vec4<f32> { return fifth_low(u, NIBBLES); }
fn unit_high(u: Unit) -> vec4<f32> { return fifth_high(u, NIBBLES); }
fn unit_either(u: Unit, high: bool) -> vec4<f32> { return unit_low(select(u, u >> vec2<u32>(16u), high)); }
fn unit_codes(u: Unit) -> vec2<u32> { return fifth_codes(u); }

// pack_codes takes nibbles as in Q4_K, and fifth bits, which the strips of a byte's eight bits share.
fn pack_codes(stored: ptr<function, Stored>, strip: u32, packed: ptr<function, Packed>) {
    let shift = (strip % 2u) * 4u;
    var fifth = 0u;
    for (var i = 0u; i < 4u; i++) {
        let at = 48u + strip / 2u * 32u + i * 4u;
        (*packed)[i] = spread(word_at(stored, at) >> shift) | (spread(word_at(stored, at + 16u) >> shift) << 16u);
        let low = spread((word_at(stored, 16u + i * 4u) >> strip) & 0x01010101u);
        let high = spread((word_at(stored, 32u + i * 4u) >> strip) & 0x01010101u);
        fifth |= (low | (high << 16u)) << i;
    }
    (*packed)[4] = fifth;
}
