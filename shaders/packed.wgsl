// y[m][n] = Σ_k W[n][k]·x[m][k] with x rounded to 8 bits a strip (round_rows.wgsl) and packed dot products of integers, which weights'
// codes are. A workgroup of 256 owns a tile of 64·HIGH rows of x and 64·BROAD rows of W; while a strip is multiplied, the next is on its
// way from memory to registers.
//! include: weights tile store_sums
//! slot rows: rows_step rows_sorted
//! slot adapters: adapters_none adapters_lora
//! const HIGH: u32      64s of rows that a tile has of x
//! const BROAD: u32     and of W
//! const ROOM: u32      rows that rounded x has room for
//! const STRIPS: u32    strips of 32 weights in a row
//! const N: u32         rows of this piece of W
@group(0) @binding(3) var<storage, read> x: array<vec4<u32>>;

const FOUR: u32 = 4u; // rows of a quad, and words between two turns of the loop over a strip
const PASSES: u32 = 1u + u32(HALVES); // over a strip, whose halves may have scales of their own
const XS_WIDE: u32 = 16u * HIGH;  // vec4s in a staged column, of four rows each
const WS_WIDE: u32 = 16u * BROAD;
const SUMS: u32 = HIGH * BROAD * 4u;
const X_STAGERS: u32 = 2u * XS_WIDE;
const W_STAGERS: u32 = X_STAGERS + 4u * WS_WIDE;
const X_SCALERS: u32 = W_STAGERS + XS_WIDE;
const STAGERS: u32 = X_SCALERS + WS_WIDE;
const XS_STAGED: u32 = 8u * XS_WIDE;
const WS_STAGED: u32 = 8u * WS_WIDE;
var<workgroup> xs: array<vec4<u32>, XS_STAGED>;        // a word of four codes of four rows
var<workgroup> ws: array<vec4<u32>, WS_STAGED>;
var<workgroup> x_scale: array<vec4<f32>, XS_WIDE>;
var<workgroup> x_sum: array<vec4<f32>, XS_WIDE>;
var<workgroup> w_scale: array<array<vec4<f32>, 2>, WS_WIDE>;
var<workgroup> w_least: array<array<vec4<f32>, 2>, WS_WIDE>;

struct Fetched {
    x: array<vec4<u32>, 4>, // words of four rows of x; or their scales and sums
    units: array<Unit, 4>,
    scale: array<Scale, 4>,
}

// fetch reads an invocation's share of a strip: two halves of four rows of x, a unit of four rows of W, or four rows' scales.
fn fetch(f: ptr<function, Fetched>, rows: ptr<function, array<u32, 4>>, strip: u32, lid: u32) {
    for (var i = 0u; i < 4u; i++) {
        let row = (*rows)[i];
        if lid < X_STAGERS {
            (*f).x[i] = x[(row * STRIPS + strip) * 2u + lid % 2u];
        } else if lid < W_STAGERS {
            (*f).units[i] = unit_at(row, strip * 4u + lid % 4u);
        } else if lid < X_SCALERS {
            let at = row * STRIPS + strip;
            let two = x[ROOM * STRIPS * 2u + at / 2u];
            (*f).x[i] = select(two, two.zwzw, vec4<bool>(at % 2u == 1u));
        } else {
            (*f).scale[i] = scale_at(row, strip);
        }
    }
}

fn put(f: ptr<function, Fetched>, lid: u32) {
    if lid < X_STAGERS {
        let quad = lid / 2u;
        for (var c = 0u; c < 4u; c++) {
            xs[(lid % 2u * 4u + c) * XS_WIDE + quad] = vec4<u32>((*f).x[0][c], (*f).x[1][c], (*f).x[2][c], (*f).x[3][c]);
        }
    } else if lid < W_STAGERS {
        let quad = (lid - X_STAGERS) / 4u;
        let a = unit_codes((*f).units[0]);
        let b = unit_codes((*f).units[1]);
        let c = unit_codes((*f).units[2]);
        let d = unit_codes((*f).units[3]);
        ws[lid % 4u * WS_WIDE + quad] = vec4<u32>(a.x, b.x, c.x, d.x);
        ws[(lid % 4u + 4u) * WS_WIDE + quad] = vec4<u32>(a.y, b.y, c.y, d.y);
    } else if lid < X_SCALERS {
        let quad = lid - W_STAGERS;
        x_scale[quad] = bitcast<vec4<f32>>(vec4<u32>((*f).x[0].x, (*f).x[1].x, (*f).x[2].x, (*f).x[3].x));
        x_sum[quad] = bitcast<vec4<f32>>(vec4<u32>((*f).x[0].y, (*f).x[1].y, (*f).x[2].y, (*f).x[3].y));
    } else if lid < STAGERS {
        let quad = lid - X_SCALERS;
        w_scale[quad][0] = CODE_UNIT * vec4<f32>((*f).scale[0].scale.x, (*f).scale[1].scale.x, (*f).scale[2].scale.x, (*f).scale[3].scale.x);
        w_scale[quad][1] = CODE_UNIT * vec4<f32>((*f).scale[0].scale.y, (*f).scale[1].scale.y, (*f).scale[2].scale.y, (*f).scale[3].scale.y);
        w_least[quad][0] = vec4<f32>((*f).scale[0].least.x, (*f).scale[1].least.x, (*f).scale[2].least.x, (*f).scale[3].least.x);
    }
}

fn dots(a: u32, b: vec4<u32>, sum: vec4<i32>) -> vec4<i32> {
    return sum + vec4<i32>(dot4I8Packed(a, b.x), dot4I8Packed(a, b.y), dot4I8Packed(a, b.z), dot4I8Packed(a, b.w));
}

// multiply adds the products of the staged strip.
fn multiply(sums: ptr<function, array<vec4<f32>, SUMS>>, lid: u32) {
    let tx = lid % 16u;
    let ty = lid / 16u;
    for (var half = 0u; half < PASSES; half++) {
        var h = array<vec4<i32>, SUMS>();
        for (var four = 0u; four < 2u / PASSES; four++) {
            //! unroll
            for (var word = 0u; word < FOUR; word++) {
                let d = half * (8u / PASSES) + four * FOUR + word;
                var b: array<vec4<u32>, BROAD>;
                //! unroll
                for (var j = 0u; j < BROAD; j++) {
                    b[j] = ws[d * WS_WIDE + j * 16u + tx];
                }
                //! unroll
                for (var i = 0u; i < HIGH; i++) {
                    let a = xs[d * XS_WIDE + i * 16u + ty];
                    //! unroll
                    for (var j = 0u; j < BROAD; j++) {
                        //! unroll
                        for (var r = 0u; r < FOUR; r++) {
                            h[(i * BROAD + j) * FOUR + r] = dots(a[r], b[j], h[(i * BROAD + j) * FOUR + r]);
                        }
                    }
                }
            }
        }
        //! unroll
        for (var i = 0u; i < HIGH; i++) {
            let a = x_scale[i * 16u + ty];
            //! unroll
            for (var j = 0u; j < BROAD; j++) {
                let b = w_scale[j * 16u + tx][half];
                //! unroll
                for (var r = 0u; r < FOUR; r++) {
                    (*sums)[(i * BROAD + j) * FOUR + r] += vec4<f32>(h[(i * BROAD + j) * FOUR + r]) * (a[r] * b);
                }
            }
        }
    }
    if HAS_MIN {
        //! unroll
        for (var i = 0u; i < HIGH; i++) {
            let a = x_sum[i * 16u + ty];
            //! unroll
            for (var j = 0u; j < BROAD; j++) {
                let least = w_least[j * 16u + tx][0];
                //! unroll
                for (var r = 0u; r < FOUR; r++) {
                    (*sums)[(i * BROAD + j) * FOUR + r] += a[r] * least;
                }
            }
        }
    }
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let tile = tile_of(wid.y, 64u * HIGH);
    if tile.first >= tile.end {
        return;
    }
    let n0 = wid.x * (64u * BROAD);
    let tx = lid % 16u;
    let ty = lid / 16u;
    var source: array<u32, 4>;
    for (var i = 0u; i < 4u; i++) {
        if lid < X_STAGERS {
            source[i] = x_row(min(tile.first + lid / 2u * 4u + i, tile.end - 1u));
        } else if lid < W_STAGERS {
            source[i] = tile.weights + min(n0 + (lid - X_STAGERS) / 4u * 4u + i, N - 1u);
        } else if lid < X_SCALERS {
            source[i] = x_row(min(tile.first + (lid - W_STAGERS) * 4u + i, tile.end - 1u));
        } else {
            source[i] = tile.weights + min(n0 + (lid - X_SCALERS) % WS_WIDE * 4u + i, N - 1u);
        }
    }
    var sums: array<vec4<f32>, SUMS>;
    var f: Fetched;
    fetch(&f, &source, 0u, lid);
    for (var strip = 0u; strip < STRIPS; strip++) {
        put(&f, lid);
        workgroupBarrier();
        fetch(&f, &source, min(strip + 1u, STRIPS - 1u), lid);
        multiply(&sums, lid);
        workgroupBarrier();
    }

    // A copy, indexed by what no compiler may unroll, leaves the sums above in registers. Its fours are handed on by value: behind a
    // pointer the copy makes gated products 7 % slower on Vulkan.
    var done = sums;
    let fours = adapter_fours();
    for (var i = 0u; i < HIGH; i++) {
        for (var r = 0u; r < 4u; r++) {
            let m = tile.first + (i * 16u + ty) * 4u + r;
            if m >= tile.end {
                continue;
            }
            let row = y_row(m);
            for (var j = 0u; j < BROAD; j++) {
                let n = n0 + (j * 16u + tx) * 4u;
                store_sums(done[(i * BROAD + j) * 4u + r], row, n, tile.bias, fours);
            }
        }
    }
}
