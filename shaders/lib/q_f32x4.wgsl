// Queries of f32 whose head dim, stride and offset are multiples of 4 (see q_f32).
//! const Q_STRIDE: u32  words from one token's queries to the next
//! const Q_OFFSET: u32  words before the first head in a token's queries
//! const HEAD_DIM: u32  elements of a head
alias QUnit = vec4<f32>;

fn q_place(token: u32, head: u32) -> u32 { return (token * Q_STRIDE + Q_OFFSET + head * HEAD_DIM) / 4u; }
fn q_at(place: u32, c: u32) -> vec4<f32> { return q[place + c]; }
fn q_column(token: u32, head: u32, c: u32) -> vec4<f32> { return q_at(q_place(token, head), c); }
