// What becomes of a product's sums: of pairs of neighbouring rows of W.
//! include: store_pair
//! const N: u32      rows of this piece of W
//! const FIRST: u32  the first of them in W
//! const EVEN: bool  all workgroups have as many
@group(0) @binding(3) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> norm: array<vec4<f32>>;

const GRAIN: u32 = 2u; // rows whose sums end in one invocation

// weight_row gives the t-th row of W of the group that begins at first.
fn weight_row(first: u32, t: u32) -> u32 {
    if EVEN {
        return first + t;
    }
    return min(first + t, N - 1u);
}

// Ahead is what an invocation reads while products are still on their way: nothing.
struct Ahead { nothing: u32 }
fn look_ahead(m: u32, n: u32) -> Ahead { return Ahead(0u); }

// end_adapted is what adapters add to them.
fn end_adapted(m: u32, n: u32, fours: u32) -> vec4<f32> { return pair_adapted(m, n, fours); }

// end stores what comes of sums of rows of W from n on with row m of x; scale is what they are multiplied by.
fn end(sums: vec4<f32>, scale: f32, m: u32, n: u32, ahead: Ahead) { store_pair(sums.x, sums.y, scale, m, n, FIRST, 0u); }
