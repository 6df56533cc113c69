// Weights in f32. A unit is the smallest share of a row an invocation takes: 8 weights, in every type those at 4i..4i+3
// and 16+4i..16+4i+3 of a block of 32, i = unit % 4, so that neighbouring invocations read neighbouring words of the
// weights and of the activations alike.
//! const BLOCKS: u32  blocks of 32 weights in a row
struct Unit { low: vec4<f32>, high: vec4<f32> }
@group(0) @binding(1) var<storage, read> quants: array<Unit>;
@group(0) @binding(2) var<storage, read> scales: array<u32>;

const HAS_SCALE: bool = false; // weights are to be multiplied by scale_at().x
const HAS_MIN: bool = false;   // and scale_at().y is to be added

fn unit_at(row: u32, unit: u32) -> Unit { return quants[row * (BLOCKS * 4u) + unit]; }
fn unit_low(u: Unit) -> vec4<f32> { return u.low; }
fn unit_high(u: Unit) -> vec4<f32> { return u.high; }
fn scale_at(row: u32, block: u32) -> vec2<f32> { return vec2<f32>(1.0, 0.0); }
