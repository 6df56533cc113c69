// Queries of two elements a word; q_open makes floats of two words.
//! const HEAD_DIM: u32  elements of a head
//! const Q_STRIDE: u32  words from one token's queries to the next
//! const Q_OFFSET: u32  words before the first head in a token's queries
alias QUnit = u32;
const Q_ROW: u32 = (HEAD_DIM + 1u) / 2u;

fn q_place(token: u32, head: u32) -> u32 { return token * Q_STRIDE + Q_OFFSET + head * Q_ROW; }
fn q_column(token: u32, head: u32, c: u32) -> vec4<f32> { return q_at(q_place(token, head), c); }

fn q_at(place: u32, c: u32) -> vec4<f32> {
    let at = place + 2u * c;
    var b = 0u;
    if 2u * c + 1u < Q_ROW {
        b = q[at + 1u];
    }
    let e = vec4<u32>(4u * c) + vec4<u32>(0u, 1u, 2u, 3u);
    return select(vec4<f32>(0.0), q_open(q[at], b), e < vec4<u32>(HEAD_DIM));
}
