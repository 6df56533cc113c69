// Rows of the output's gradient whose head dim and stride are multiples of 4, read four elements at a time (see
// gradient_f32).
//! const HEAD_DIM: u32    elements of a head
//! const OUT_STRIDE: u32  words from one token's output to the next
alias GradientUnit = vec4<f32>;
const GRADIENT_ROW: u32 = HEAD_DIM / 4u;

fn gradient_row(token: u32, head: u32) -> u32 { return (token * OUT_STRIDE + head * HEAD_DIM) / 4u; }

fn gradient_dot(a: vec4<f32>, b: vec4<f32>) -> f32 { return dot(a, b); }

fn gradient_column(at: u32, c: u32) -> vec4<f32> { return d_out[at + c]; }
