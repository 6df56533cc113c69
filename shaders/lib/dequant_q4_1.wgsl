// Weights in Q4_1: nibbles, a word a unit, and scales and minima in f16.
//! include: nibbles scales_both pack no_table either
//! const STRIPS: u32  strips of 32 weights in a row
const HAS_SCALE: bool = true;
const HAS_MIN: bool = true;
const HALVES: bool = false;
alias Unit = u32;
@group(0) @binding(1) var<storage, read> codes: array<Unit>;
@group(0) @binding(2) var<storage, read> scales: array<u32>;

fn unit_at(row: u32, unit: u32) -> Unit { return codes[row * (STRIPS * 4u) + unit]; }
fn unit_low(u: Unit) -> vec4<f32> { return nibbles(u, NIBBLES); }
fn unit_high(u: Unit) -> vec4<f32> { return nibbles(u >> 16u, NIBBLES); }
fn unit_codes(u: Unit) -> vec2<u32> { return vec2<u32>(nibble_bytes(u), nibble_bytes(u >> 16u)); }

fn pack_codes(stored: ptr<function, Stored>, strip: u32, packed: ptr<function, Packed>) {
    for (var i = 0u; i < 4u; i++) {
        let w = word_at(stored, 4u + i * 4u);
        (*packed)[i] = spread(w) | (spread(w >> 4u) << 16u);
    }
}
