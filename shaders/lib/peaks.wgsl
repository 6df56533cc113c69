// What one dispatch leaves of each output's logits for the next: of each slice (key, id, sum of masses, masses times powers), then
// of each of its blocks the best key. A block is what one invocation looked at.
//! const WORKGROUP: u32   invocations of a workgroup, and blocks of a slice
//! const SLICES: u32      slices of an output's logits
//! const VOCABULARY: u32  tokens
const PEAKS: u32 = SLICES + SLICES * (WORKGROUP / 4u); // vec4s of an output

const PARAM_WORDS: u32 = 8u;
const GREEDY: u32 = 1u;
const TOP_K: u32 = 2u;
const TOP_P: u32 = 4u;

// limits_best says whether top-k leaves tokens out.
fn limits_best(flags: u32, best: u32) -> bool { return (flags & TOP_K) != 0u && best < VOCABULARY; }

// sums_masses says whether a lane's draws need the sum of all masses.
fn sums_masses(flags: u32, best: u32) -> bool { return (flags & (GREEDY | TOP_P)) == TOP_P && !limits_best(flags, best); }

// distance is how far below the maximum a logit lies, in powers of two after temperature.
fn distance_below(maximum: f32, x: f32, scale: f32) -> f32 { return min(maximum - x, 1.0e30) * scale; }
