// y[m][n] = Σ_k W[n][k]·x[m][k] with matrix fragments: f16 factors, f32 sums. A workgroup owns TALL rows of x and WIDE rows of W;
// each of its subgroups DOWN × ACROSS fragments of 16 × 16. K goes through workgroup memory UNITS units of each row at a time.
//! include: step weights tile store_pair
//! slot rows: rows_step rows_sorted
//! slot fragments: product_fragments_subgroup product_fragments_plain
//! slot parts: parts_none parts_some
//! const N: u32         rows of this piece of W
//! const STRIPS: u32    strips of 32 weights in a row
//! const X_STRIDE: u32  floats from one row of x to the next
//! const TALL: u32      rows of x of a tile
//! const WIDE: u32      rows of W of a tile
//! const DOWN: u32      fragments of a subgroup along x
//! const ACROSS: u32    and along W
//! const FRAGMENTS: u32 DOWN·ACROSS
//! const SIDE: u32      subgroups along W
//! const SUBGROUP: u32  invocations of a subgroup
//! const WORKGROUP: u32 invocations of a workgroup
//! const UNITS: u32     units of a row that are staged at a time, 2 or 4
//! const KS: u32        of 16 columns that are staged: UNITS / 2
//! const XS: u32        fours of x that an invocation stages
//! const WS: u32        units of W
//! const ROOM: u32    halves of workgroup memory
//! const FLOATS: u32    floats of workgroup memory
@group(0) @binding(3) var<storage, read> x: array<vec4<f32>>;

const STRIDE: u32 = UNITS * 8u + 8u; // halves from one staged row to the next
const W_AT: u32 = TALL * STRIDE;
const PATCH: u32 = 20u;              // floats from one row of a patch of results to the next

var<workgroup> halves: array<Half, ROOM>; // rows of x, then of W
var<workgroup> floats: array<f32, FLOATS>;  // a fragment of each subgroup, 16 rows

// put_four stores four halves, the n-th four of all. Bounds that a compiler sees leave one store of them.
fn put_four(n: u32, v: Half4) {
    let at = 4u * min(n, ROOM / 4u - 1u);
    halves[at] = v.x;
    halves[at + 1u] = v.y;
    halves[at + 2u] = v.z;
    halves[at + 3u] = v.w;
}

struct Fetched {
    x: array<vec4<f32>, XS>,
    units: array<Unit, WS>,
    scale: array<Scale, WS>,
}

// fetch reads part of a strip: UNITS units of each row, from unit h·UNITS on.
fn fetch(f: ptr<function, Fetched>, tile: Tile, n0: u32, strip: u32, h: u32, lid: u32) {
    //! unroll
    for (var i = 0u; i < XS; i++) {
        let j = lid + i * WORKGROUP;
        let c = j % (2u * UNITS);
        let row = x_row(min(tile.first + j / (2u * UNITS), tile.end - 1u));
        (*f).x[i] = x[row * (X_STRIDE / 4u) + strip * 8u + h * UNITS + c % UNITS + c / UNITS * 4u];
    }
    //! unroll
    for (var i = 0u; i < WS; i++) {
        let j = lid + i * WORKGROUP;
        let row = tile.weights + min(n0 + j / UNITS, N - 1u);
        (*f).units[i] = unit_at(row, strip * 4u + h * UNITS + j % UNITS);
        (*f).scale[i] = scale_at(row, strip);
    }
}

fn put(f: ptr<function, Fetched>, lid: u32) {
    //! unroll
    for (var i = 0u; i < XS; i++) {
        let j = lid + i * WORKGROUP;
        if j < TALL * 2u * UNITS {
            put_four(j / (2u * UNITS) * (STRIDE / 4u) + j % (2u * UNITS), half4((*f).x[i]));
        }
    }
    //! unroll
    for (var i = 0u; i < WS; i++) {
        let j = lid + i * WORKGROUP;
        if j < WIDE * UNITS {
            let at = W_AT / 4u + j / UNITS * (STRIDE / 4u) + j % UNITS;
            put_four(at, half4(weights_low((*f).units[i], (*f).scale[i])));
            put_four(at + UNITS, half4(weights_high((*f).units[i], (*f).scale[i])));
        }
    }
}

fn multiply(sums: ptr<function, array<Result, FRAGMENTS>>, subgroup: u32) {
    let row_at = subgroup / SIDE * DOWN * 16u;
    let column_at = W_AT + subgroup % SIDE * ACROSS * 16u * STRIDE;
    //! unroll
    for (var k = 0u; k < KS; k++) {
        var rows: array<Left, DOWN>;
        //! unroll
        for (var i = 0u; i < DOWN; i++) {
            rows[i] = left_rows((row_at + 16u * i) * STRIDE + 16u * k, STRIDE);
        }
        //! unroll
        for (var j = 0u; j < ACROSS; j++) {
            let columns = right_columns(column_at + 16u * j * STRIDE + 16u * k, STRIDE);
            //! unroll
            for (var i = 0u; i < DOWN; i++) { (*sums)[i * ACROSS + j] = multiply_add(rows[i], columns, (*sums)[i * ACROSS + j]); }
        }
    }
}

// store_patch stores the fragment that lies in the subgroup's patch: rows of x from m0 on, rows of W from n0 on.
fn store_patch(tile: Tile, part: u32, m0: u32, n0: u32, subgroup: u32, own: u32) {
    let fours = adapter_fours();
    for (var pair = own; pair < 128u; pair += SUBGROUP) {
        let m = m0 + pair / 8u;
        let n = n0 + pair % 8u * 2u;
        let at = subgroup * 16u * PATCH + pair / 8u * PATCH + pair % 8u * 2u;
        if m < tile.end && n < N {
            store_pair(floats[at], floats[at + 1u], 1.0, part_row(part, tile.end, y_row(m)), n, tile.bias, fours);
        }
    }
}

fn attend(group: vec3<u32>, subgroup: u32, lid: u32) {
    let tile = tile_of(group.y, TALL);
    if tile.first >= tile.end {
        return;
    }
    let n0 = group.x * WIDE;
    var sums: array<Result, FRAGMENTS>;
    var f: Fetched;
    let begin = k_begin(group.z) / 8u;
    let end = k_end(group.z) / 8u;
    fetch(&f, tile, n0, begin, 0u, lid);
    //! turns: STRIPS
    for (var strip = begin; strip < end; strip++) {
        put(&f, lid);
        workgroupBarrier();
        if UNITS == 2u {
            fetch(&f, tile, n0, strip, 1u, lid);
            multiply(&sums, subgroup);
            workgroupBarrier();
            put(&f, lid);
            workgroupBarrier();
        }
        fetch(&f, tile, n0, min(strip + 1u, end - 1u), 0u, lid);
        multiply(&sums, subgroup);
        workgroupBarrier();
    }
    let own = lid % SUBGROUP;
    //! unroll
    for (var i = 0u; i < DOWN; i++) {
        //! unroll
        for (var j = 0u; j < ACROSS; j++) {
            keep_result(subgroup * 16u * PATCH, PATCH, sums[i * ACROSS + j]);
            workgroupBarrier();
            store_patch(tile, group.z, tile.first + (subgroup / SIDE * DOWN + i) * 16u, n0 + (subgroup % SIDE * ACROSS + j) * 16u, subgroup, own);
            workgroupBarrier();
        }
    }
}
