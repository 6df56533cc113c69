// Weights in Q8_0: bytes of q+128, two words a unit, and scales in f16.
//! include: bytes scales_half pack no_table either
//! const STRIPS: u32  strips of 32 weights in a row
const BLOCK_BYTES: u32 = 34u;
const HAS_SCALE: bool = true;
const HAS_MIN: bool = false;
const HALVES: bool = false;
const BASE: vec4<f32> = vec4<f32>(8388736.0, 32896.0, 8388736.0, 32896.0);
alias Unit = vec2<u32>;
@group(0) @binding(1) var<storage, read> codes: array<Unit>;
@group(0) @binding(2) var<storage, read> scales: array<u32>;

fn unit_at(row: u32, unit: u32) -> Unit { return codes[row * (STRIPS * 4u) + unit]; }

fn unit_low(u: Unit) -> vec4<f32> { return bytes_less(u.x, BASE); }
fn unit_high(u: Unit) -> vec4<f32> { return bytes_less(u.y, BASE); }
fn unit_codes(u: Unit) -> vec2<u32> { return u ^ vec2<u32>(0x80808080u); }

fn pack_codes(stored: ptr<function, Stored>, strip: u32, packed: ptr<function, Packed>) {
    for (var i = 0u; i < 4u; i++) {
        let at = strip * BLOCK_BYTES + 2u + i * 4u;
        (*packed)[i * 2u] = word_at(stored, at) ^ 0x80808080u;
        (*packed)[i * 2u + 1u] = word_at(stored, at + 16u) ^ 0x80808080u;
    }
}
