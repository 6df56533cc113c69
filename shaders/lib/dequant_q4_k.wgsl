// Weights in Q4_K: nibbles, a word a unit, and scales and minima of eight strips together.
//! include: nibbles scales_k pack no_table either
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

// pack_codes takes a strip's nibbles, which stand below or above those of its neighbour.
fn pack_codes(stored: ptr<function, Stored>, strip: u32, packed: ptr<function, Packed>) {
    let shift = (strip % 2u) * 4u;
    for (var i = 0u; i < 4u; i++) {
        let at = 16u + strip / 2u * 32u + i * 4u;
        (*packed)[i] = spread(word_at(stored, at) >> shift) | (spread(word_at(stored, at + 16u) >> shift) << 16u);
    }
}
