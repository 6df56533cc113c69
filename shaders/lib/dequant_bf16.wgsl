// Weights in bf16, two a word. A bf16 is the upper half of an f32.
//! include: plain
//! const STRIPS: u32  strips of 32 weights in a row
alias Unit = vec4<u32>;
@group(0) @binding(1) var<storage, read> codes: array<Unit>;
@group(0) @binding(2) var<storage, read> scales: array<u32>;

fn unit_at(row: u32, unit: u32) -> Unit { return codes[row * (STRIPS * 4u) + unit]; }
fn unit_low(u: Unit) -> vec4<f32> {
    return bitcast<vec4<f32>>(vec4<u32>(u.x << 16u, u.x & 0xFFFF0000u, u.y << 16u, u.y & 0xFFFF0000u));
}
fn unit_high(u: Unit) -> vec4<f32> {
    return bitcast<vec4<f32>>(vec4<u32>(u.z << 16u, u.z & 0xFFFF0000u, u.w << 16u, u.w & 0xFFFF0000u));
}

fn pack_codes(stored: ptr<function, Stored>, strip: u32, packed: ptr<function, Packed>) { pack_plain(stored, packed, 2u); }
