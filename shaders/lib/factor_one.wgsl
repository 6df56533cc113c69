// A factor of all rows.
//! const FACTOR_BINDING: u32  its binding
@group(0) @binding(FACTOR_BINDING) var<storage, read> factor: array<f32>;

fn scaled(x: vec4<f32>) -> vec4<f32> { return x * factor[0]; }
