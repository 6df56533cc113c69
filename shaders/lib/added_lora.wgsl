// What LoRA adapters add to the sums of a group of lanes, of some rows of W with some of x.
//! slot adapters: adapters_none adapters_lora
//! slot ends: ends_pairs ends_heads
//! const ROWS: u32        rows of x
//! const N: u32           rows of this piece of W
//! const LANES: u32       invocations of a group
//! const SUMS: u32        sums of a group
//! const SPANS: u32       how often a subgroup's part of a group is halved
//! const GRAINS: u32      grains that end in an invocation

// added_ahead gives what is added to the grains of an invocation: sums of GRAIN rows of W with one of x.
fn added_ahead(first: u32, lane: u32, m0: u32, rows: u32) -> array<vec4<f32>, GRAINS> {
    var added: array<vec4<f32>, GRAINS>;
    let fours = adapter_fours();
    if fours > 0u {
        //! unroll
        for (var i = 0u; i < GRAINS; i++) {
            let grain = grain_of(lane, i);
            let m = m0 + grain % ROWS;
            let n = first + grain / ROWS * GRAIN;
            if m < rows && n < N && grain < SUMS / GRAIN {
                added[i] = end_adapted(m, n, fours);
            }
        }
    }
    return added;
}

fn with_added(sums: vec4<f32>, added: ptr<function, array<vec4<f32>, GRAINS>>, i: u32) -> vec4<f32> { return sums + (*added)[i]; }

// grain_of gives the i-th grain that ends in a lane.
fn grain_of(lane: u32, i: u32) -> u32 {
    if LANES > (1u << SPANS) {
        return lane + i * LANES;
    }
    var place = 0u;
    for (var s = 0u; s < SPANS; s++) {
        if (SUMS >> (s + 1u)) >= GRAIN {
            place += select(0u, SUMS >> (s + 1u), (lane >> s) % 2u == 1u);
        }
    }
    return place / GRAIN + i;
}
