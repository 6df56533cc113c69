// Matrix × vector products of one row of x: an invocation reads BATCH units of each of its rows of W before it multiplies them, so
// that many loads are under way at once.
//! include: weights scaled
//! const LANES: u32   invocations that share rows of W; STRIPS·4 is a multiple of LANES·BATCH
//! const TILE: u32    rows of W that such a group owns
//! const ROWS: u32    rows of x: 1
//! const SUMS: u32    TILE·ROWS products, and with NORM as many sums of squares as ROWS
//! const NORM: bool   x is multiplied by norm
//! const BATCH: u32   units that are read at once
//! const TURNS: u32   STRIPS·4 / LANES / BATCH
const HELD: u32 = BATCH * TILE;

// multiply adds what the invocation's units of K give: TILE products, then with NORM the squares of x.
fn multiply(starts: ptr<function, array<u32, ROWS>>, first: u32, lane: u32, sums: ptr<function, array<f32, SUMS>>) {
    for (var turn = 0u; turn < TURNS; turn++) {
        var u: array<Unit, HELD>;
        var s: array<Scale, HELD>;
        //! unroll
        for (var i = 0u; i < BATCH; i++) {
            //! unroll
            for (var t = 0u; t < TILE; t++) {
                u[i * TILE + t] = unit_at(weight_row(first, t), (turn * BATCH + i) * LANES + lane);
                s[i * TILE + t] = scale_at(weight_row(first, t), ((turn * BATCH + i) * LANES + lane) / 4u);
            }
        }
        //! unroll
        for (var i = 0u; i < BATCH; i++) {
            let unit = (turn * BATCH + i) * LANES + lane;
            let column = unit / 4u * 8u + unit % 4u;
            var low = x[(*starts)[0] + column];
            var high = x[(*starts)[0] + column + 4u];
            if NORM {
                (*sums)[SUMS - 1u] += dot(low, low) + dot(high, high);
                low *= norm[column];
                high *= norm[column + 4u];
            }
            var total = vec2<f32>(); // of x, for minima
            if HAS_MIN && HALVES {
                total = vec2<f32>(dot(low, vec4<f32>(1.0)), dot(high, vec4<f32>(1.0)));
            } else if HAS_MIN {
                total.x = dot(low + high, vec4<f32>(1.0));
            }
            //! unroll
            for (var t = 0u; t < TILE; t++) {
                let product = vec2<f32>(dot(unit_low(u[i * TILE + t]), low), dot(unit_high(u[i * TILE + t]), high));
                (*sums)[t] += scaled(product, s[i * TILE + t], total);
            }
        }
    }
}
