// Weights in f32.
//! include: plain
//! const STRIPS: u32  strips of 32 weights in a row
struct Unit { low: vec4<f32>, high: vec4<f32> }
@group(0) @binding(1) var<storage, read> codes: array<Unit>;
@group(0) @binding(2) var<storage, read> scales: array<u32>;

fn unit_at(row: u32, unit: u32) -> Unit { return codes[row * (STRIPS * 4u) + unit]; }
fn unit_low(u: Unit) -> vec4<f32> { return u.low; }
fn unit_high(u: Unit) -> vec4<f32> { return u.high; }

fn pack_codes(stored: ptr<function, Stored>, strip: u32, packed: ptr<function, Packed>) { pack_plain(stored, packed, 4u); }
