// Invocations far apart halve the scores first: an invocation has the part of them whose number is its own.
//! const LANES: u32       invocations that share a key

//! inline
fn part(lane: u32) -> u32 { return lane; }
//! inline
fn half_span(level: u32) -> u32 { return (LANES >> (level + 1u)); }
//! inline
fn row_span(level: u32) -> u32 { return (1u << level); }
//! inline
fn swapped(x: f32, span: u32) -> f32 { return subgroupShuffleXor(x, span); }
