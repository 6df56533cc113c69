// What becomes of a group's products that are rows of q, k and v.
//! include: heads
//! const ROWS: u32           rows of x that the weights are read once for
//! const N: u32              rows of W, a multiple of HEAD_DIM
//! const K: u32              columns of W
//! const Y_OFFSET: u32       where the first row of W lies among those of q, k and v, a multiple of HEAD_DIM
//! const TILE: u32           rows of W that a group owns, a multiple of 4
//! const SUMS: u32           TILE·ROWS products, and with NORM as many sums of squares as ROWS
//! const EPS: f32            the norm's
//! const NORM: bool          what comes out is multiplied by 1/rms of its row of x
@group(0) @binding(5) var<storage, read> norm: array<vec4<f32>>;

const FOURTHS: u32 = TILE / 4u;

fn look_ahead(m0: u32, rows: u32, first: u32, lane: u32) -> Ahead {
    if lane < FOURTHS * ROWS && m0 + lane % ROWS < rows {
        return ahead_of(m0 + lane % ROWS, four_of(first, lane / ROWS));
    }
    return Ahead(-1, 1.0, vec4<f32>());
}

// finish stores what rows of W from first on give for row m of x, the m0 + m-th of all: each lane some of them.
fn finish(done: ptr<function, array<f32, SUMS>>, m0: u32, m: u32, first: u32, lane: u32, ahead: Ahead) {
    for (var n = 0u; n < FOURTHS; n++) {
        if lane == n * ROWS + m && first + 4u * n < N {
            let i = 4u * n * ROWS + m;
            var r = vec4<f32>((*done)[i], (*done)[i + ROWS], (*done)[i + 2u * ROWS], (*done)[i + 3u * ROWS]);
            if NORM {
                r *= inverseSqrt((*done)[TILE * ROWS + m] / f32(K) + EPS);
            }
            finish_four(r, m0 + m, Y_OFFSET + first + 4u * n, ahead);
        }
    }
}
