// Weights in Q4_0: nibbles of q+8, a word a unit, and scales in f16.
//! include: nibbles scales_half pack no_table either
//! const STRIPS: u32  strips of 32 weights in a row
const BLOCK_BYTES: u32 = 18u;
const HAS_SCALE: bool = true;
const HAS_MIN: bool = false;
const HALVES: bool = false;
const BASE: vec4<f32> = vec4<f32>(8388616.0, 524296.0, 32776.0, 2056.0);
alias Unit = u32;
@group(0) @binding(1) var<storage, read> codes: array<Unit>;
@group(0) @binding(2) var<storage, read> scales: array<u32>;

fn unit_at(row: u32, unit: u32) -> Unit { return codes[row * (STRIPS * 4u) + unit]; }
fn unit_low(u: Unit) -> vec4<f32> { return nibbles(u, BASE); }
fn unit_high(u: Unit) -> vec4<f32> { return nibbles(u >> 16u, BASE); }
fn unit_codes(u: Unit) -> vec2<u32> {
    return (vec2<u32>(nibble_bytes(u), nibble_bytes(u >> 16u)) + 0x78787878u) ^ vec2<u32>(0x80808080u);
}

fn pack_codes(stored: ptr<function, Stored>, strip: u32, packed: ptr<function, Packed>) {
    for (var i = 0u; i < 4u; i++) {
        let w = word_at(stored, strip * BLOCK_BYTES + 2u + i * 4u);
        (*packed)[i] = spread(w) | (spread(w >> 4u) << 16u);
    }
}
