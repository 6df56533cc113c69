// Matrix × vector products of many rows of x: each unit of W is multiplied with all of them, so that registers hold no more
// than a unit's products. What shares scales or counts turns ahead is a sixth slower here, measured on an H200.
//! include: weights
//! const STRIPS: u32  strips of 32 weights in a row
//! const LANES: u32   invocations that share rows of W
//! const TILE: u32    rows of W that such a group owns
//! const ROWS: u32    rows of x
//! const SUMS: u32    TILE·ROWS products, and with NORM as many sums of squares as ROWS
//! const NORM: bool   x is multiplied by norm

// multiply adds what the invocation's units of K give: TILE·ROWS products, then with NORM the squares of ROWS rows.
fn multiply(starts: ptr<function, array<u32, ROWS>>, first: u32, lane: u32, sums: ptr<function, array<f32, SUMS>>) {
    for (var unit = lane; unit < STRIPS * 4u; unit += LANES) {
        let strip = unit / 4u;
        let at = strip * 8u + unit % 4u;
        var low: array<vec4<f32>, ROWS>;
        var high: array<vec4<f32>, ROWS>;
        var total: array<vec2<f32>, ROWS>; // of x, for minima
        for (var m = 0u; m < ROWS; m++) {
            low[m] = x[(*starts)[m] + at];
            high[m] = x[(*starts)[m] + at + 4u];
            if NORM {
                (*sums)[TILE * ROWS + m] += dot(low[m], low[m]) + dot(high[m], high[m]);
                low[m] *= norm[at];
                high[m] *= norm[at + 4u];
            }
            if HAS_MIN && HALVES {
                total[m] = vec2<f32>(dot(low[m], vec4<f32>(1.0)), dot(high[m], vec4<f32>(1.0)));
            } else if HAS_MIN {
                total[m].x = dot(low[m] + high[m], vec4<f32>(1.0));
            }
        }
        for (var t = 0u; t < TILE; t++) {
            let row = weight_row(first, t);
            let u = unit_at(row, unit);
            let wlow = unit_low(u);
            let whigh = unit_high(u);
            let s = scale_at(row, strip);
            for (var m = 0u; m < ROWS; m++) {
                let product_low = dot(wlow, low[m]);
                let product_high = dot(whigh, high[m]);
                let product = product_low + product_high;
                if HALVES {
                    (*sums)[t * ROWS + m] += product_low * s.scale.x + product_high * s.scale.y;
                    if HAS_MIN {
                        (*sums)[t * ROWS + m] += dot(s.least, total[m]);
                    }
                } else if HAS_MIN {
                    (*sums)[t * ROWS + m] += product * s.scale.x + s.least.x * total[m].x;
                } else if HAS_SCALE {
                    (*sums)[t * ROWS + m] += product * s.scale.x;
                } else {
                    (*sums)[t * ROWS + m] += product;
                }
            }
        }
    }
}
