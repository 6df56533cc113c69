// y[m][n] = Σ_k W[n][k]·x[m][k] for many rows of x. A workgroup of 256 owns a tile of 64·QUADS rows of both x and W; an
// invocation holds QUADS × QUADS squares of 4 × 4 sums. K is staged in DEPTH columns at a time, weights dequantized,
// four rows to a vec4, by half of the workgroup for x and half for W. DEPTH·QUADS is 32: 16 KiB of workgroup memory.
//
// Neighbouring invocations stage neighbouring columns of a row, for the sake of storage; a column's quads are exchanged by
// its place, so that they store to different banks of workgroup memory.
//
// A sum's order over K depends neither on the number of rows nor on the place in the tile.
//! include: weights tile store_over
//! slot rows: rows_step rows_sorted
//! slot activation: activation_silu activation_gelu activation_gelu_erf activation_cap activation_clamped
//! slot adapters: adapters_none adapters_lora
//! const QUADS: u32     64s of rows that a tile has, of x and of W
//! const DEPTH: u32     columns that are staged at a time
//! const N: u32         rows of this piece of W
//! const X_STRIDE: u32  floats from one row of x to the next
//! const ADAPTS: bool   this launch adds what adapters do
//! const K_BEGIN: u32   first column of the launch, in fours
//! const K_END: u32     end of its columns, in fours
//! const BIAS: bool     bias[n] is added to the product; with GATED the gates' lie first
//! const UPS: u32       where the ups' begin
//! const SCALE: f32     factor of the sum
//! const ACTIVATED: bool  y[m][n] = activate(r[n])
//! const GATED: bool    rows of W come in pairs of gate and up: y[m][i] = gated(r[2i], r[2i+1])
@group(0) @binding(3) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> bias: array<f32>;

const WIDE: u32 = 16u * QUADS;  // vec4s in a staged column
const PARTS: u32 = DEPTH / 4u; // of four columns
const STAGED: u32 = DEPTH * WIDE;
const SUMS: u32 = QUADS * QUADS * 4u;
var<workgroup> xs: array<vec4<f32>, STAGED>;
var<workgroup> ws: array<vec4<f32>, STAGED>;

// staged_at is the place of a quad of column d.
fn staged_at(d: u32, quad: u32) -> u32 { return d * WIDE + (quad ^ (d / 4u * (8u / PARTS))); }

// weights_at gives 4 weights of a row: those at 4·part of its columns.
fn weights_at(row: u32, part: u32) -> vec4<f32> {
    let strip = part / 8u;
    let u = unit_at(row, strip * 4u + part % 4u);
    let s = scale_at(row, strip);
    let high = part % 8u >= 4u;
    let codes = unit_either(u, high);
    if HALVES {
        return weights(codes, select(s.scale.x, s.scale.y, high), select(s.least.x, s.least.y, high));
    }
    return weights(codes, s.scale.x, s.least.x);
}

// sources gives where the four rows begin that the invocation stages: the first half of the workgroup those of x, in vec4s,
// the other those of W.
fn sources(lid: u32, tile: Tile, n0: u32) -> array<u32, 4> {
    let quad = lid % 128u / PARTS;
    var source: array<u32, 4>;
    for (var i = 0u; i < 4u; i++) {
        if lid < 128u {
            source[i] = x_row(min(tile.first + quad * 4u + i, tile.end - 1u)) * (X_STRIDE / 4u);
        } else {
            source[i] = tile.weights + min(n0 + quad * 4u + i, N - 1u);
        }
    }
    return source;
}

// stage_columns stages DEPTH columns from 4·k on: four of its rows an invocation.
fn stage_columns(source: ptr<function, array<u32, 4>>, k: u32, lid: u32) {
    let quad = lid % 128u / PARTS;
    let part = lid % PARTS;
    var columns: mat4x4<f32>;
    if lid < 128u {
        columns = transpose(mat4x4<f32>(x[(*source)[0] + k + part], x[(*source)[1] + k + part],
            x[(*source)[2] + k + part], x[(*source)[3] + k + part]));
        for (var i = 0u; i < 4u; i++) {
            xs[staged_at(part * 4u + i, quad)] = columns[i];
        }
    } else {
        columns = transpose(mat4x4<f32>(weights_at((*source)[0], k + part), weights_at((*source)[1], k + part),
            weights_at((*source)[2], k + part), weights_at((*source)[3], k + part)));
        for (var i = 0u; i < 4u; i++) {
            ws[staged_at(part * 4u + i, quad)] = columns[i];
        }
    }
}

// multiply adds the products of the staged columns.
fn multiply(sums: ptr<function, array<vec4<f32>, SUMS>>, lid: u32) {
    let tx = lid % 16u;
    let ty = lid / 16u;
    for (var d = 0u; d < DEPTH; d++) {
        var b: array<vec4<f32>, QUADS>;
        for (var j = 0u; j < QUADS; j++) {
            b[j] = ws[staged_at(d, j * 16u + tx)];
        }
        for (var i = 0u; i < QUADS; i++) {
            let a = xs[staged_at(d, i * 16u + ty)];
            for (var j = 0u; j < QUADS; j++) {
                let s = (i * QUADS + j) * 4u;
                (*sums)[s] = fma(vec4<f32>(a.x), b[j], (*sums)[s]);
                (*sums)[s + 1u] = fma(vec4<f32>(a.y), b[j], (*sums)[s + 1u]);
                (*sums)[s + 2u] = fma(vec4<f32>(a.z), b[j], (*sums)[s + 2u]);
                (*sums)[s + 3u] = fma(vec4<f32>(a.w), b[j], (*sums)[s + 3u]);
            }
        }
    }
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let tile = tile_of(wid.y, 64u * QUADS);
    if tile.first >= tile.end {
        return;
    }
    let n0 = wid.x * (64u * QUADS);
    let tx = lid % 16u;
    let ty = lid / 16u;
    var source = sources(lid, tile, n0);
    var sums: array<vec4<f32>, SUMS>;
    for (var k = K_BEGIN; k < K_END; k += PARTS) {
        stage_columns(&source, k, lid);
        workgroupBarrier();
        multiply(&sums, lid);
        workgroupBarrier();
    }

    // A copy, indexed by what no compiler may unroll, leaves the sums above in registers. Storing is written out here, for
    // behind a pointer the copy makes gated products 7 % slower on Vulkan.
    var done = sums;
    let fours = adapter_fours();
    for (var i = 0u; i < QUADS; i++) {
        for (var r = 0u; r < 4u; r++) {
            let m = tile.first + (i * 16u + ty) * 4u + r;
            if m >= tile.end {
                continue;
            }
            let row = y_row(m);
            for (var j = 0u; j < QUADS; j++) {
                let n = n0 + (j * 16u + tx) * 4u;
                var v = done[(i * QUADS + j) * 4u + r];
                if ADAPTED {
                    if ADAPTS && fours > 0u {
                        v += vec4<f32>(adapted(row, min(n, N - 1u), fours), adapted(row, min(n + 1u, N - 1u), fours),
                            adapted(row, min(n + 2u, N - 1u), fours), adapted(row, min(n + 3u, N - 1u), fours));
                    }
                }
                if BIAS {
                    var at = min(vec4<u32>(n, n + 1u, n + 2u, n + 3u), vec4<u32>(N - 1u)) + tile.bias;
                    if GATED {
                        at = at / 2u + at % 2u * UPS;
                    }
                    v += vec4<f32>(bias[at.x], bias[at.y], bias[at.z], bias[at.w]);
                }
                if SCALE != 1.0 {
                    v *= SCALE;
                }
                if ACTIVATED {
                    v = vec4<f32>(activate(v.x), activate(v.y), activate(v.z), activate(v.w));
                }
                if GATED {
                    if n < N {
                        store(row, n / 2u, gated(v.x, v.y));
                    }
                    if n + 2u < N {
                        store(row, n / 2u + 1u, gated(v.z, v.w));
                    }
                } else {
                    if n < N {
                        store(row, n, v.x);
                    }
                    if n + 1u < N {
                        store(row, n + 1u, v.y);
                    }
                    if n + 2u < N {
                        store(row, n + 2u, v.z);
                    }
                    if n + 3u < N {
                        store(row, n + 3u, v.w);
                    }
                }
            }
        }
    }
}
