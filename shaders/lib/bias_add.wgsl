// A bias vector over q, k and v heads.
//! const BIAS_BINDING: u32  binding of the vector
@group(0) @binding(BIAS_BINDING) var<storage, read> bias: array<f32>;
fn bias_at(i: u32) -> f32 { return bias[i]; }
