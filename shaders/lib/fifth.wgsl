// Codes of five bits: a strip has a word a unit of nibbles, then one of the fifth bits, in which bit 4k + i is that of unit
// i's code k and bit 16 + 4k + i that of its code 4 + k.
//! include: nibbles pack no_table
//! const STRIPS: u32  strips of 32 weights in a row
const FIFTH: vec4<u32> = vec4<u32>(0x10u, 0x100u, 0x1000u, 0x10000u);
alias Unit = vec2<u32>;
@group(0) @binding(1) var<storage, read> codes: array<u32>;
@group(0) @binding(2) var<storage, read> scales: array<u32>;

fn unit_at(row: u32, unit: u32) -> Unit {
    let at = (row * STRIPS + unit / 4u) * 5u;
    return vec2<u32>(codes[at + unit % 4u], codes[at + 4u] >> (unit % 4u));
}
fn fifth_low(u: Unit, base: vec4<f32>) -> vec4<f32> { return nibbles_above(u.x, u.y, FIFTH, base); }
fn fifth_high(u: Unit, base: vec4<f32>) -> vec4<f32> { return nibbles_above(u.x >> 16u, u.y >> 16u, FIFTH, base); }
fn fifth_codes(u: Unit) -> vec2<u32> {
    let fifth = u.y & 0x11111111u;
    return vec2<u32>(nibble_bytes(u.x) | (nibble_bytes(fifth) << 4u), nibble_bytes(u.x >> 16u) | (nibble_bytes(fifth >> 16u) << 4u));
}

// apart moves a nibble's bits to every fourth.
fn apart(nibble: u32) -> u32 {
    let n = nibble & 15u;
    return (n | (n << 3u) | (n << 6u) | (n << 9u)) & 0x1111u;
}
// pack_fifth takes a strip whose fifth bits are a word at a byte, with nibbles behind it.
fn pack_fifth(stored: ptr<function, Stored>, at: u32, packed: ptr<function, Packed>) {
    let bits = word_at(stored, at);
    var fifth = 0u;
    for (var i = 0u; i < 4u; i++) {
        let w = word_at(stored, at + 4u + i * 4u);
        (*packed)[i] = spread(w) | (spread(w >> 4u) << 16u);
        fifth |= (apart(bits >> (i * 4u)) | (apart(bits >> (16u + i * 4u)) << 16u)) << i;
    }
    (*packed)[4] = fifth;
}
