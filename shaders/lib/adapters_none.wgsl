// No adapters.
const ADAPTED: bool = false;
const FOURS: u32 = 0u;
fn adapter_slot(first: u32, t: u32) -> u32 { return 0u; }
fn adapter_b(n: u32, four: u32) -> vec4<f32> { return vec4<f32>(); }
fn adapter_u(m: u32, slot: u32, i: u32) -> vec4<f32> { return vec4<f32>(); }
fn slot_of(n: u32) -> u32 { return 0u; }
fn adapter_fours() -> u32 { return 0u; }
fn adapter_four(m: u32, i: u32) -> u32 { return 0u; }
fn adapted(m: u32, n: vec4<u32>, fours: u32) -> vec4<f32> { return vec4<f32>(); }
fn adapted_of(m: u32, n: vec4<u32>, slots: vec4<u32>, fours: u32) -> vec4<f32> { return vec4<f32>(); }
