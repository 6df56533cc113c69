// y[m][n] = Σ_k W[n][k]·x[m][k] for many rows of x. A workgroup of 256 owns a tile of 64·QUADS rows of both x and W; an
// invocation holds QUADS × QUADS squares of 4 × 4 sums. K is staged in DEPTH columns at a time, weights dequantized,
// four rows to a vec4, by half of the workgroup for x and half for W. DEPTH·QUADS is 32: 16 KiB of workgroup memory, or with
// AHEAD twice that: there the next columns are fetched while these are multiplied, and wait for no barrier.
//
// Neighbouring invocations stage neighbouring columns of a row, for the sake of storage; a column's quads are exchanged by
// its place, so that they store to different banks of workgroup memory.
//
// A sum's order over K depends neither on the number of rows nor on the place in the tile.
//! include: weights tile store_sums
//! slot rows: rows_step rows_sorted
//! slot adapters: adapters_none adapters_lora
//! slot parts: parts_none parts_some
//! const QUADS: u32     64s of rows that a tile has, of x and of W
//! const DEPTH: u32     columns that are staged at a time
//! const N: u32         rows of this piece of W
//! const X_STRIDE: u32  floats from one row of x to the next
//! const ADAPTS: bool   this launch adds what adapters do
//! const AHEAD: bool    columns are staged in turn in two halves of workgroup memory
//! const K_BEGIN: u32   first column of the launch, in fours
//! const K_END: u32     end of its columns, in fours
@group(0) @binding(3) var<storage, read> x: array<vec4<f32>>;

const WIDE: u32 = 16u * QUADS;  // vec4s in a staged column
const PARTS: u32 = DEPTH / 4u; // of four columns
const SUMS: u32 = QUADS * QUADS * 4u;
const STAGED: u32 = DEPTH * (1u + u32(AHEAD)); // columns that there is room for
var<workgroup> xs: array<array<vec4<f32>, WIDE>, STAGED>;
var<workgroup> ws: array<array<vec4<f32>, WIDE>, STAGED>;

// staged_at is the place of a quad of column d.
fn staged_at(d: u32, quad: u32) -> u32 { return quad ^ (d / 4u * (8u / PARTS)); }

// Fetched is what an invocation will stage: four columns of four rows, of x or of W.
struct Fetched {
    x: array<vec4<f32>, 4>,
    units: array<Unit, 4>,
    scales: array<vec2<f32>, 4>, // and minima
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

// fetch reads the invocation's four of DEPTH columns from 4·k on.
fn fetch(fetched: ptr<function, Fetched>, source: ptr<function, array<u32, 4>>, k: u32, lid: u32) {
    let part = k + lid % PARTS;
    if lid < 128u {
        for (var i = 0u; i < 4u; i++) {
            (*fetched).x[i] = x[(*source)[i] + part];
        }
        return;
    }
    let strip = part / 8u;
    let high = part % 8u >= 4u;
    for (var i = 0u; i < 4u; i++) {
        (*fetched).units[i] = unit_at((*source)[i], strip * 4u + part % 4u);
        let s = scale_at((*source)[i], strip);
        if HALVES {
            (*fetched).scales[i] = vec2<f32>(select(s.scale.x, s.scale.y, high), select(s.least.x, s.least.y, high));
        } else {
            (*fetched).scales[i] = vec2<f32>(s.scale.x, s.least.x);
        }
    }
}

// row_of gives the four weights that were fetched of row i.
fn row_of(fetched: ptr<function, Fetched>, i: u32, high: bool) -> vec4<f32> {
    return weights(unit_either((*fetched).units[i], high), (*fetched).scales[i].x, (*fetched).scales[i].y);
}

// stage puts what was fetched from 4·k on where columns from "first" on are staged.
fn stage(fetched: ptr<function, Fetched>, k: u32, lid: u32, first: u32) {
    let quad = lid % 128u / PARTS;
    let d = lid % PARTS * 4u;
    if lid < 128u {
        var columns = transpose(mat4x4<f32>((*fetched).x[0], (*fetched).x[1], (*fetched).x[2], (*fetched).x[3]));
        for (var i = 0u; i < 4u; i++) {
            xs[first + d + i][staged_at(d, quad)] = columns[i];
        }
        return;
    }
    let high = (k + lid % PARTS) % 8u >= 4u;
    var columns = transpose(mat4x4<f32>(row_of(fetched, 0u, high), row_of(fetched, 1u, high), row_of(fetched, 2u, high), row_of(fetched, 3u, high)));
    for (var i = 0u; i < 4u; i++) {
        ws[first + d + i][staged_at(d, quad)] = columns[i];
    }
}

// multiply adds the products of the columns staged from "first" on.
fn multiply(sums: ptr<function, array<vec4<f32>, SUMS>>, lid: u32, first: u32) {
    let tx = tx_of(lid);
    let ty = ty_of(lid);
    //! unroll
    for (var d = 0u; d < DEPTH; d++) {
        var b: array<vec4<f32>, QUADS>;
        //! unroll
        for (var j = 0u; j < QUADS; j++) {
            b[j] = ws[first + d][staged_at(d, j * 16u + tx)];
        }
        //! unroll
        for (var i = 0u; i < QUADS; i++) {
            let a = xs[first + d][staged_at(d, i * 16u + ty)];
            //! unroll
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

// tx_of and ty_of are an invocation's place in the tile: 32 neighbours have 8 quads of W and 4 of x, so that they read each
// bank of workgroup memory as seldom as can be.
fn tx_of(lid: u32) -> u32 { return lid % 8u + lid / 32u % 2u * 8u; }
fn ty_of(lid: u32) -> u32 { return lid / 8u % 4u + lid / 64u * 4u; }

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let tile = tile_of(wid.y, 64u * QUADS);
    if tile.first >= tile.end {
        return;
    }
    let n0 = wid.x * (64u * QUADS);
    let tx = tx_of(lid);
    let ty = ty_of(lid);
    var source = sources(lid, tile, n0);
    var fetched: Fetched;
    var sums: array<vec4<f32>, SUMS>;
    let begin = k_begin(wid.z);
    let end = k_end(wid.z);
    if AHEAD {
        fetch(&fetched, &source, begin, lid);
        stage(&fetched, begin, lid, 0u);
        //! turns: (K_END - K_BEGIN + 2u * PARTS - 1u) / (2u * PARTS)
        for (var k = begin; k < end; k += 2u * PARTS) { // two halves a turn, so that their places are constants
            workgroupBarrier();
            fetch(&fetched, &source, k + PARTS, lid);
            multiply(&sums, lid, 0u);
            stage(&fetched, k + PARTS, lid, DEPTH);
            workgroupBarrier();
            let next = min(k + 2u * PARTS, end - PARTS);
            fetch(&fetched, &source, next, lid);
            multiply(&sums, lid, DEPTH);
            stage(&fetched, next, lid, 0u);
        }
    } else {
        //! turns: (K_END - K_BEGIN + PARTS - 1u) / PARTS
        for (var k = begin; k < end; k += PARTS) {
            fetch(&fetched, &source, k, lid);
            stage(&fetched, k, lid, 0u);
            workgroupBarrier();
            multiply(&sums, lid, 0u);
            workgroupBarrier();
        }
    }

    // A copy, indexed by what no compiler may unroll, leaves the sums above in registers. Its fours are handed on by value: behind a
    // pointer the copy makes gated products 7 % slower on Vulkan.
    var done = sums;
    let fours = select(0u, adapter_fours(), ADAPTS);
    for (var i = 0u; i < QUADS; i++) {
        for (var r = 0u; r < 4u; r++) {
            let m = tile.first + (i * 16u + ty) * 4u + r;
            if m >= tile.end {
                continue;
            }
            let row = part_row(wid.z, tile.end, y_row(m));
            for (var j = 0u; j < QUADS; j++) {
                let n = n0 + (j * 16u + tx) * 4u;
                store_sums(done[(i * QUADS + j) * 4u + r], row, n, tile.bias, fours);
            }
        }
    }
}
