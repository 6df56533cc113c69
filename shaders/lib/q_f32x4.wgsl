// Queries of f32 whose head dim, stride and offset are multiples of 4 (see q_f32).
//! const Q_STRIDE: u32  words from one token's queries to the next
//! const Q_OFFSET: u32  words before the first head in a token's queries
//! const HEAD_DIM: u32  elements of a head
alias QUnit = vec4<f32>;

fn q_column(token: u32, head: u32, c: u32) -> vec4<f32> {
    return q[(token * Q_STRIDE + Q_OFFSET + head * HEAD_DIM) / 4u + c];
}
