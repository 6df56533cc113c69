// Matrix × vector products of one or two rows of x: an invocation takes UNITS units of a strip at once, which share scales.
//! include: weights scaled
//! const STRIPS: u32  strips of 32 weights in a row
//! const LANES: u32   invocations that share rows of W
//! const TILE: u32    rows of W that such a group owns
//! const ROWS: u32    rows of x
//! const SUMS: u32    TILE·ROWS products, and with NORM as many sums of squares as ROWS
//! const NORM: bool   x is multiplied by norm
//! const UNITS: u32   units that an invocation takes at once: 1 or 2
const SHARES: u32 = STRIPS * 4u / UNITS;
const EVEN: bool = SHARES % LANES == 0u; // as many turns for all, so that they may be written out
const XS: u32 = ROWS * UNITS;

// multiply adds what the invocation's units of K give: TILE·ROWS products, then with NORM the squares of ROWS rows.
fn multiply(starts: ptr<function, array<u32, ROWS>>, first: u32, lane: u32, sums: ptr<function, array<f32, SUMS>>) {
    var turns = SHARES / LANES;
    if !EVEN {
        turns = (SHARES + LANES - 1u - lane) / LANES;
    }
    //! turns: (SHARES + LANES - 1u) / LANES
    for (var turn = 0u; turn < turns; turn++) {
        let share = turn * LANES + lane;
        let unit = share * UNITS;
        let strip = unit / 4u;
        let at = strip * 8u + unit % 4u;
        var low: array<vec4<f32>, XS>;
        var high: array<vec4<f32>, XS>;
        var total = array<vec2<f32>, ROWS>(); // of x, for minima
        for (var i = 0u; i < XS; i++) {
            let m = i / UNITS;
            let column = at + i % UNITS;
            low[i] = x[(*starts)[m] + column];
            high[i] = x[(*starts)[m] + column + 4u];
            if NORM {
                (*sums)[TILE * ROWS + m] += dot(low[i], low[i]) + dot(high[i], high[i]);
                low[i] *= norm[column];
                high[i] *= norm[column + 4u];
            }
            if HAS_MIN && HALVES {
                total[m] += vec2<f32>(dot(low[i], vec4<f32>(1.0)), dot(high[i], vec4<f32>(1.0)));
            } else if HAS_MIN {
                total[m].x += dot(low[i] + high[i], vec4<f32>(1.0));
            }
        }
        for (var t = 0u; t < TILE; t++) {
            let row = weight_row(first, t);
            let s = scale_at(row, strip);
            var products = array<vec2<f32>, ROWS>(); // of low and of high, where several units are to share the scale
            for (var i = 0u; i < UNITS; i++) {
                let u = unit_at(row, unit + i);
                let wlow = unit_low(u);
                let whigh = unit_high(u);
                for (var m = 0u; m < ROWS; m++) {
                    let product = vec2<f32>(dot(wlow, low[m * UNITS + i]), dot(whigh, high[m * UNITS + i]));
                    if UNITS == 1u {
                        (*sums)[t * ROWS + m] += scaled(product, s, total[m]);
                    } else {
                        products[m] += product;
                    }
                }
            }
            if UNITS > 1u {
                for (var m = 0u; m < ROWS; m++) {
                    (*sums)[t * ROWS + m] += scaled(products[m], s, total[m]);
                }
            }
        }
    }
}
