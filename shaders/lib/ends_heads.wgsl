// What becomes of a product's sums that are rows of q, k and v.
//! include: heads
//! slot adapters: adapters_none adapters_lora
//! const Y_OFFSET: u32  where the first row of W lies among those of q, k and v
@group(0) @binding(5) var<storage, read> norm: array<vec4<f32>>;

const GRAIN: u32 = 4u; // rows whose sums end in one invocation

fn look_ahead(m: u32, n: u32) -> Ahead { return ahead_of(m, four_of(n, 0u)); }

// end_adapted is what adapters add to them: to rows of one head, and so of one slot.
fn end_adapted(m: u32, n: u32, fours: u32) -> vec4<f32> {
    let four = vec4<u32>(weight_row(n, 0u), weight_row(n, 1u), weight_row(n, 2u), weight_row(n, 3u));
    return adapted_of(m, four, vec4<u32>(slot_of(four.x)), fours);
}

// end stores what comes of sums of four rows of W from n on with row m of x; scale is what they are multiplied by.
fn end(sums: vec4<f32>, scale: f32, m: u32, n: u32, ahead: Ahead) { finish_four(sums * scale, m, Y_OFFSET + n, ahead); }
