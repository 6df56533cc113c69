// Sums of invocations that share nothing.
//! const SUMS: u32  sums that are found at once

fn lanes_sum(values: ptr<function, array<f32, SUMS>>, lid: u32) {}
