// Storing of what a tile has of four rows of W at once, for rows of y that have room for whole fours.
//! const Y_STRIDE: u32  floats from one row of y to the next
//! const Y_OFFSET: u32  column of y where the piece's first row goes, a multiple of 4
//! const N: u32         rows of this piece of W
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;

fn store_four(m: u32, n: u32, v: vec4<f32>) {
    if n < N {
        y[(m * Y_STRIDE + Y_OFFSET + n) / 4u] = v;
    }
}
fn store_pair(m: u32, n: u32, v: vec2<f32>) {}
