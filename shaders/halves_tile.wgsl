// y[m][n] = Σ_k W[n][k]·x[m][k] for many rows of x, as matmul.wgsl does it, with factors in f16: the products of 16 columns are summed in f16,
// pairs of rows of W at once, and all else in f32. Weights are nibbles less eight, exact, whose scale their sums are multiplied by; x is
// shrunk, and kept to half of f16's range, so that no sum of 16 leaves it.
//
// A workgroup owns DOWN·TY fours of rows of x and ACROSS·TX of W; an invocation holds DOWN × ACROSS squares of 4 × 4 sums. A strip of 32
// columns is staged at a time, four rows to a vec4, and fetched while the one before it is multiplied. A column's fours are exchanged by its
// place, so that neighbouring invocations, which stage neighbouring columns, store to different banks of workgroup memory.
//
// A sum's order over K depends neither on the number of rows nor on the place in the tile.
//! include: weights tile store_sums
//! slot rows: rows_step
//! slot adapters: adapters_none adapters_lora
//! slot parts: parts_none parts_some
//! slot pair: pair_bitcast pair_unpacked
//! const DOWN: u32      fours of rows of x that an invocation multiplies
//! const ACROSS: u32    and of W
//! const OWN: u32       4·DOWN
//! const TX: u32        invocations along W, a multiple of 8
//! const TY: u32        and along x, a multiple of 4
//! const WORKGROUP: u32 TX·TY
//! const XS: u32        fours of columns of four rows of x that an invocation stages
//! const WS: u32        halves of units of four rows of W
//! const SS: u32        scales
//! const XS4: u32       4·XS
//! const WS4: u32       4·WS
//! const N: u32         rows of this piece of W
//! const STRIPS: u32    strips of 32 weights in a row
//! const TURNS: u32     strips that a workgroup sums
//! const X_STRIDE: u32  floats from one row of x to the next
@group(0) @binding(3) var<storage, read> x: array<vec4<f32>>;

const STRIP: u32 = 32u;
const SHRINK: f32 = 0.015625;
const RUN: u32 = 16u; // columns whose products are summed in f16
const RUNS: u32 = 2u;
const COLUMNS: u32 = 4u;
const TALL: u32 = DOWN * TY; // fours of rows of the tile
const WIDE: u32 = ACROSS * TX;
const ROWS: u32 = 4u * WIDE;
const SUMS: u32 = DOWN * ACROSS * 4u;
var<workgroup> xs: array<array<vec4<f16>, TALL>, STRIP>;
var<workgroup> ws: array<array<vec4<f16>, WIDE>, STRIP>;
var<workgroup> factors: array<f32, ROWS>; // of W's rows

// shrunk keeps what is no number.
fn shrunk(x: vec4<f32>) -> vec4<f16> {
    let y = clamp(x, vec4<f32>(-32752.0), vec4<f32>(32752.0)) * SHRINK;
    return vec4<f16>(select(y, x, (bitcast<vec4<u32>>(x) & vec4<u32>(0x7F800000u)) == vec4<u32>(0x7F800000u)));
}

// codes_of gives the c-th nibbles of two words' lower halves: at bit 0 of the mantissa of 1024 a nibble adds its value.
fn codes_of(words: u32, c: u32) -> vec2<f16> { return two_of(((words >> (4u * c)) & 0x000F000Fu) | 0x64006400u) - vec2<f16>(1032.0h); }

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let tile = tile_of(wid.y, 4u * TALL);
    if tile.first >= tile.end {
        return;
    }
    let n0 = wid.x * (4u * WIDE);
    // 32 neighbours have 8 fours of W and 4 of x, so that they read each bank of workgroup memory as seldom as can be.
    let tx = lid % 8u + (lid / 32u) % (TX / 8u) * 8u;
    let ty = (lid / 8u) % 4u + lid / (4u * TX) * 4u;
    let begin = k_begin(wid.z) / 8u; // in strips

    // What the invocation stages: of eight fours of columns one, of rows those of each WORKGROUP / 8th four.
    let eighth = lid % 8u;
    var x_source: array<u32, XS4>;
    var w_source: array<u32, WS4>;
    var rows: array<vec4<f32>, XS4>;
    var units: array<Unit, WS4>;
    var bits: array<Bits, SS>;
    let first = min(begin, STRIPS - 1u);
    //! unroll
    for (var i = 0u; i < XS4; i++) {
        let m = (lid / 8u + i / 4u * (WORKGROUP / 8u)) * 4u + i % 4u;
        x_source[i] = x_row(min(tile.first + m, tile.end - 1u)) * (X_STRIDE / 4u) + eighth;
        rows[i] = x[x_source[i] + first * 8u];
    }
    //! unroll
    for (var i = 0u; i < WS4; i++) {
        let n = (lid / 8u + i / 4u * (WORKGROUP / 8u)) * 4u + i % 4u;
        w_source[i] = tile.weights + min(n0 + n, N - 1u);
        units[i] = unit_at(w_source[i], first * 4u + eighth % 4u);
    }
    //! unroll
    for (var i = 0u; i < SS; i++) {
        bits[i] = bits_at(tile.weights + min(n0 + (lid + i * WORKGROUP) % ROWS, N - 1u), first);
    }
    let half_at = eighth / 4u * 16u; // of a unit
    var sums: array<vec4<f32>, SUMS>; // each of a row of x with four of W
    for (var nth = 0u; nth < TURNS; nth++) {
        let strip = begin + nth;
        //! unroll
        for (var i = 0u; i < XS; i++) {
            let columns = transpose(mat4x4<f32>(rows[i * 4u], rows[i * 4u + 1u], rows[i * 4u + 2u], rows[i * 4u + 3u]));
            let place = ((lid / 8u + i * (WORKGROUP / 8u)) ^ (eighth * 4u)) % TALL;
            //! unroll
            for (var c = 0u; c < COLUMNS; c++) {
                xs[eighth * 4u + c][place] = shrunk(columns[c]);
            }
        }
        //! unroll
        for (var i = 0u; i < WS; i++) {
            let one = ((units[i * 4u] >> half_at) & 0xFFFFu) | ((units[i * 4u + 1u] >> half_at) << 16u);
            let two = ((units[i * 4u + 2u] >> half_at) & 0xFFFFu) | ((units[i * 4u + 3u] >> half_at) << 16u);
            let place = ((lid / 8u + i * (WORKGROUP / 8u)) ^ (eighth * 4u)) % WIDE;
            //! unroll
            for (var c = 0u; c < COLUMNS; c++) {
                ws[eighth * 4u + c][place] = vec4<f16>(codes_of(one, c), codes_of(two, c));
            }
        }
        //! unroll
        for (var i = 0u; i < SS; i++) {
            let n = lid + i * WORKGROUP;
            if ROWS % WORKGROUP == 0u || n < ROWS { // strips past the last count for nothing
                factors[n] = select(0.0, scale_of(bits[i], strip).scale.x * (1.0 / SHRINK), strip < STRIPS);
            }
        }
        workgroupBarrier();
        let next = min(strip + 1u, STRIPS - 1u);
        //! unroll
        for (var i = 0u; i < XS4; i++) {
            rows[i] = x[x_source[i] + next * 8u];
        }
        //! unroll
        for (var i = 0u; i < WS4; i++) {
            units[i] = unit_at(w_source[i], next * 4u + eighth % 4u);
        }
        //! unroll
        for (var i = 0u; i < SS; i++) {
            bits[i] = bits_at(tile.weights + min(n0 + (lid + i * WORKGROUP) % ROWS, N - 1u), next);
        }
        var factor: array<vec4<f32>, ACROSS>;
        //! unroll
        for (var j = 0u; j < ACROSS; j++) {
            let n = (j * TX + tx) * 4u;
            factor[j] = vec4<f32>(factors[n], factors[n + 1u], factors[n + 2u], factors[n + 3u]);
        }
        for (var run = 0u; run < RUNS; run++) {
            let at = run * RUN;
            var few = array<vec4<f16>, SUMS>();
            //! unroll
            for (var d = 0u; d < RUN; d++) {
                let turned = (at + d) / 4u * 4u;
                var b: array<vec4<f16>, ACROSS>;
                //! unroll
                for (var j = 0u; j < ACROSS; j++) {
                    b[j] = ws[at + d][((j * TX + tx) ^ turned) % WIDE];
                }
                //! unroll
                for (var i = 0u; i < DOWN; i++) {
                    let a = xs[at + d][((i * TY + ty) ^ turned) % TALL];
                    //! unroll
                    for (var r = 0u; r < COLUMNS; r++) {
                        //! unroll
                        for (var j = 0u; j < ACROSS; j++) {
                            few[(i * 4u + r) * ACROSS + j] = fma(vec4<f16>(a[r]), b[j], few[(i * 4u + r) * ACROSS + j]);
                        }
                    }
                }
            }
            //! unroll
            for (var i = 0u; i < OWN; i++) {
                //! unroll
                for (var j = 0u; j < ACROSS; j++) {
                    sums[i * ACROSS + j] = fma(vec4<f32>(few[i * ACROSS + j]), factor[j], sums[i * ACROSS + j]);
                }
            }
        }
        workgroupBarrier();
    }

    // A copy, indexed by what no compiler may unroll, leaves the sums above in registers.
    var done = sums;
    let fours = adapter_fours();
    for (var i = 0u; i < DOWN; i++) {
        for (var r = 0u; r < 4u; r++) {
            let m = tile.first + (i * TY + ty) * 4u + r;
            if m >= tile.end {
                continue;
            }
            let row = part_row(wid.z, tile.end, y_row(m));
            for (var j = 0u; j < ACROSS; j++) {
                let n = n0 + (j * TX + tx) * 4u;
                store_sums(done[(i * 4u + r) * ACROSS + j], row, n, tile.bias, fours);
            }
        }
    }
}
