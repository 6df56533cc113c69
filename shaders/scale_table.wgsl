// The values of a matrix's table, times a number.
//! const HEAD: u32  values, which stand before the scales
@group(0) @binding(0) var<storage, read> factor: array<f32>;
@group(0) @binding(1) var<storage, read_write> values: array<f32>;

@compute @workgroup_size(HEAD)
fn main(@builtin(local_invocation_index) lid: u32) { values[lid] *= factor[0]; }
