// Queries of f32, any head dim. The kernel declares q as an array of QUnit; a column is four elements of a head, those past
// the head dim read as 0.
//! const Q_STRIDE: u32  words from one token's queries to the next
//! const Q_OFFSET: u32  words before the first head in a token's queries
//! const HEAD_DIM: u32  elements of a head
alias QUnit = f32;

fn q_place(token: u32, head: u32) -> u32 { return token * Q_STRIDE + Q_OFFSET + head * HEAD_DIM; }
fn q_column(token: u32, head: u32, c: u32) -> vec4<f32> { return q_at(q_place(token, head), c); }

fn q_at(at: u32, c: u32) -> vec4<f32> {
    let e = 4u * c;
    var x = vec4<f32>(q[at + e], 0.0, 0.0, 0.0);
    if e + 1u < HEAD_DIM {
        x.y = q[at + e + 1u];
    }
    if e + 2u < HEAD_DIM {
        x.z = q[at + e + 2u];
    }
    if e + 3u < HEAD_DIM {
        x.w = q[at + e + 3u];
    }
    return x;
}
