// A bias vector over q, k and v heads.
@group(0) @binding(5) var<storage, read> bias: array<f32>;
fn bias_at(i: u32) -> f32 { return bias[i]; }
