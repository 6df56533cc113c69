// No adapters.
//! const GRAINS: u32  grains of sums that end in an invocation
fn added_ahead(first: u32, lane: u32, m0: u32, rows: u32) -> array<vec4<f32>, GRAINS> { return array<vec4<f32>, GRAINS>(); }
fn with_added(sums: vec4<f32>, added: ptr<function, array<vec4<f32>, GRAINS>>, i: u32) -> vec4<f32> { return sums; }
