// Turns the pairs (2i, 2i + 1) of every head of x [tokens][heads][HEAD_DIM] by the angle of the token's position, its place
// in a sequence of LENGTH tokens; backwards where shape.back is 1. table holds cosine and sine, [LENGTH][HEAD_DIM / 2].
//! include: fold
//! const LENGTH: u32    tokens of a sequence
//! const HEAD_DIM: u32  elements of a head
struct Shape {
    tokens: u32,
    heads: u32,
    back: u32,
}
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> table: array<vec2<f32>>;
@group(0) @binding(2) var<storage, read_write> x: array<vec2<f32>>;

const PAIRS: u32 = HEAD_DIM / 2u;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let i = (wid.y * FOLD + wid.x) * 64u + lid;
    let token = i / (shape.heads * PAIRS);
    if token >= shape.tokens {
        return;
    }
    let turn = table[token % LENGTH * PAIRS + i % PAIRS];
    let cosine = turn.x;
    let sine = select(turn.y, -turn.y, shape.back == 1u);
    let v = x[i];
    x[i] = vec2<f32>(v.x * cosine - v.y * sine, v.x * sine + v.y * cosine);
}
