// Matrix × vector products of one row of x by whole strips: an invocation reads a strip of each of its rows of W at once, opens its codes
// with less work than unit_low and unit_high take, and scales their products once. x stands in workgroup memory, so that neighbouring
// invocations read other banks of it.
//! include: weights scaled
//! slot strip: strip_units strip_words strip_pairs strip_six
//! slot opened: opened_units opened_nibbles opened_above opened_bytes opened_small
//! const LANES: u32      invocations that share rows of W
//! const TILE: u32       rows of W that such a group owns
//! const WORKGROUP: u32  invocations of a workgroup
//! const ROWS: u32       rows of x: 1
//! const SUMS: u32       TILE·ROWS products, and with NORM as many sums of squares as ROWS
//! const NORM: bool      x is multiplied by norm
//! const TURNS: u32      strips of a row / LANES
const QUARTERS: u32 = 4u; // units of a strip
const VECTORS: u32 = 8u; // of a strip of x
const PLACE: u32 = 9u;   // of these in workgroup memory
const SPAN: u32 = LANES * VECTORS; // vec4s of a turn
const STAGES: u32 = (SPAN + WORKGROUP - 1u) / WORKGROUP;
const GROUPS: u32 = WORKGROUP / LANES;
alias Staged = array<vec4<f32>, PLACE>;
var<workgroup> staged: array<Staged, LANES>;
var<workgroup> squares: array<f32, WORKGROUP>;

// multiply adds what the invocation's strips of K give: TILE products, then with NORM the squares of x.
fn multiply(starts: ptr<function, array<u32, ROWS>>, first: u32, lane: u32, sums: ptr<function, array<f32, SUMS>>) {
    let lid = first / TILE % GROUPS * LANES + lane;
    for (var turn = 0u; turn < TURNS; turn++) {
        var u: array<Strip, TILE>;
        var s: array<Scale, TILE>;
        //! unroll
        for (var t = 0u; t < TILE; t++) {
            u[t] = strip_at(weight_row(first, t), turn * LANES + lane);
            s[t] = scale_at(weight_row(first, t), turn * LANES + lane);
        }
        if turn > 0u {
            workgroupBarrier();
        }
        for (var i = 0u; i < STAGES; i++) {
            let n = i * WORKGROUP + lid;
            if SPAN % WORKGROUP == 0u || n < SPAN {
                var v = x[(*starts)[0] + turn * SPAN + n];
                if NORM {
                    (*sums)[SUMS - 1u] += dot(v, v);
                    v *= norm[turn * SPAN + n];
                }
                staged[n / VECTORS][n % VECTORS] = v * OPENED;
            }
        }
        workgroupBarrier();
        var halves = array<vec2<f32>, TILE>(); // products with units' low and high codes, where those have scales of their own
        var fours = array<vec4<f32>, TILE>();  // of other types
        var total = vec2<f32>(); // of x, for minima
        //! unroll
        for (var j = 0u; j < QUARTERS; j++) {
            let low = staged[lane][j];
            let high = staged[lane][j + 4u];
            if HALVES && (HAS_MIN || LESS > 0.0) {
                total += vec2<f32>(dot(low, 1.0 / OPENED), dot(high, 1.0 / OPENED));
            } else if HAS_MIN || LESS > 0.0 {
                total.x += dot(low + high, 1.0 / OPENED);
            }
            //! unroll
            for (var t = 0u; t < TILE; t++) {
                if HALVES {
                    halves[t] += vec2<f32>(dot(opened_low(u[t][j]), low), dot(opened_high(u[t][j]), high));
                } else {
                    fours[t] = fma(opened_low(u[t][j]), low, fours[t]);
                    fours[t] = fma(opened_high(u[t][j]), high, fours[t]);
                }
            }
        }
        //! unroll
        for (var t = 0u; t < TILE; t++) {
            if !HALVES {
                halves[t] = vec2<f32>(fours[t].x + fours[t].y, fours[t].z + fours[t].w);
            }
            if HALVES {
                halves[t] -= LESS * total;
            } else if LESS > 0.0 {
                halves[t].x -= LESS * total.x;
            }
            (*sums)[t] += scaled(halves[t], s[t], total);
        }
    }
    if NORM && GROUPS > 1u { // each group's lanes together have the squares of all of x
        squares[lid] = (*sums)[SUMS - 1u];
        workgroupBarrier();
        var sum = squares[lane];
        for (var i = 1u; i < GROUPS; i++) { sum += squares[i * LANES + lane]; }
        (*sums)[SUMS - 1u] = sum;
    }
}
