// c[m][n] = Σ_k a(m, k)·b(n, k), or c += it where shape.add is 1. a is stored [m][k], or [k][m] where A_COLUMNS; b is
// stored [n][k], or [k][n] where B_COLUMNS. Strides are multiples of 4 floats, and what lies between a row's end and its
// stride is 0 and stays 0. With shape.span below k, workgroup (x, y, z) sums the z-th span of k's into the z-th of as many
// results, which column_sum adds up.
//
// A workgroup of 256 owns a tile of 64·QUADS rows of both; an invocation holds QUADS × QUADS squares of 4 × 4 sums. K is
// staged DEPTH columns at a time, four rows to a vec4, by half of the workgroup for a and half for b; DEPTH·QUADS is 32:
// 16 KiB of workgroup memory. A column's quads are exchanged by its place, so that neighbouring invocations, which stage
// neighbouring columns, store to different banks.
//! const QUADS: u32       64s of rows that a tile has, of a and of b
//! const DEPTH: u32       columns of K that are staged at a time
//! const A_COLUMNS: bool  a is stored [k][m]
//! const B_COLUMNS: bool  b is stored [k][n]
//! most SPAN: u32         shape.span
struct Shape {
    m: u32,
    n: u32,
    k: u32,
    a_stride: u32, // floats, as all strides
    b_stride: u32,
    c_stride: u32,
    span: u32,     // a multiple of DEPTH
    add: u32,
}
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> c: array<vec4<f32>>;

const WIDE: u32 = 16u * QUADS; // vec4s in a staged column
const PARTS: u32 = DEPTH / 4u; // of four columns
const STAGED: u32 = DEPTH * WIDE;
const SUMS: u32 = QUADS * QUADS * 4u;
var<workgroup> staged_a: array<vec4<f32>, STAGED>;
var<workgroup> staged_b: array<vec4<f32>, STAGED>;

// staged_at is the place of a quad of column d.
fn staged_at(d: u32, quad: u32) -> u32 { return d * WIDE + (quad ^ (d / 4u * (8u / PARTS))); }

// columns_a gives columns k to k + 3 of the rows m to m + 3 of a, zeros past its ends and past the span's.
fn columns_a(m: u32, k: u32, end: u32) -> mat4x4<f32> {
    var v: mat4x4<f32>;
    for (var i = 0u; i < 4u; i++) {
        v[i] = vec4<f32>();
        if A_COLUMNS {
            if k + i < end && m < shape.m {
                v[i] = a[((k + i) * shape.a_stride + m) / 4u];
            }
        } else {
            if m + i < shape.m && k < end {
                v[i] = a[((m + i) * shape.a_stride + k) / 4u];
            }
        }
    }
    if A_COLUMNS {
        return v;
    }
    return transpose(v);
}

fn columns_b(n: u32, k: u32, end: u32) -> mat4x4<f32> {
    var v: mat4x4<f32>;
    for (var i = 0u; i < 4u; i++) {
        v[i] = vec4<f32>();
        if B_COLUMNS {
            if k + i < end && n < shape.n {
                v[i] = b[((k + i) * shape.b_stride + n) / 4u];
            }
        } else {
            if n + i < shape.n && k < end {
                v[i] = b[((n + i) * shape.b_stride + k) / 4u];
            }
        }
    }
    if B_COLUMNS {
        return v;
    }
    return transpose(v);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let m0 = wid.y * (64u * QUADS);
    let n0 = wid.x * (64u * QUADS);
    let tx = lid % 16u;
    let ty = lid / 16u;

    // What this invocation stages: neighbours take what lies side by side in storage.
    let half = lid % 128u;
    let by_columns = select(B_COLUMNS, A_COLUMNS, lid < 128u);
    let quad = select(half / PARTS, half % WIDE, by_columns);
    let part = select(half % PARTS, half / WIDE, by_columns) * 4u;

    let first = wid.z * shape.span;
    let end = min(shape.k, first + shape.span);
    var sums: array<vec4<f32>, SUMS>;
    //! turns: SPAN / DEPTH
    for (var k = first; k < end; k += DEPTH) {
        if lid < 128u {
            var columns = columns_a(m0 + quad * 4u, k + part, end);
            for (var i = 0u; i < 4u; i++) {
                staged_a[staged_at(part + i, quad)] = columns[i];
            }
        } else {
            var columns = columns_b(n0 + quad * 4u, k + part, end);
            for (var i = 0u; i < 4u; i++) {
                staged_b[staged_at(part + i, quad)] = columns[i];
            }
        }
        workgroupBarrier();
        for (var d = 0u; d < DEPTH; d++) {
            var right: array<vec4<f32>, QUADS>;
            for (var j = 0u; j < QUADS; j++) {
                right[j] = staged_b[staged_at(d, j * 16u + tx)];
            }
            for (var i = 0u; i < QUADS; i++) {
                let left = staged_a[staged_at(d, i * 16u + ty)];
                for (var j = 0u; j < QUADS; j++) {
                    let s = (i * QUADS + j) * 4u;
                    sums[s] = fma(vec4<f32>(left.x), right[j], sums[s]);
                    sums[s + 1u] = fma(vec4<f32>(left.y), right[j], sums[s + 1u]);
                    sums[s + 2u] = fma(vec4<f32>(left.z), right[j], sums[s + 2u]);
                    sums[s + 3u] = fma(vec4<f32>(left.w), right[j], sums[s + 3u]);
                }
            }
        }
        workgroupBarrier();
    }

    // A copy, indexed by what no compiler may unroll, leaves the sums above in registers.
    var done = sums;
    for (var i = 0u; i < QUADS; i++) {
        for (var r = 0u; r < 4u; r++) {
            let m = m0 + (i * 16u + ty) * 4u + r;
            for (var j = 0u; j < QUADS; j++) {
                let n = n0 + (j * 16u + tx) * 4u;
                if m < shape.m && n < shape.n {
                    let at = ((wid.z * shape.m + m) * shape.c_stride + n) / 4u;
                    let v = done[(i * QUADS + j) * 4u + r];
                    if shape.add == 1u {
                        c[at] += v;
                    } else {
                        c[at] = v;
                    }
                }
            }
        }
    }
}
