// Turns rows into columns, 32 × 32 at a time through workgroup memory: rows of `head[ROWS_WORD]`, `head[COLUMNS_WORD]`
// columns, become rows padded with zeros to a multiple of 32. With STRIDE 0 the source is itself padded so; otherwise it is
// one head of [token][head][column].
//! const UNITS: bool        a row is laid out as lib/dequant_f32.wgsl reads weights
//! const ROWS_WORD: u32     head's word with the number of rows
//! const COLUMNS_WORD: u32  head's word with the number of columns
//! const HEAD_WORD: u32     head's word with the head
//! const STRIDE: u32        floats from one row of the source to the next; 0: padded rows
@group(0) @binding(0) var<storage, read> head: array<u32>;
@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read_write> turned: array<f32>;

var<workgroup> square: array<f32, 1056>; // 32 rows of 33, so that a column lies in different banks

fn placed(c: u32) -> u32 {
    if !UNITS {
        return c;
    }
    return (c % 16u) / 4u * 8u + c / 16u * 4u + c % 4u;
}

@compute @workgroup_size(32, 8)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let rows = head[ROWS_WORD];
    let columns = head[COLUMNS_WORD];
    var stride = STRIDE;
    var offset = head[HEAD_WORD] * columns;
    if STRIDE == 0u {
        stride = (columns + 31u) / 32u * 32u;
        offset = 0u;
    }
    for (var i = local.y; i < 32u; i += 8u) {
        let row = wid.x * 32u + i;
        let column = wid.y * 32u + local.x;
        var x = 0.0;
        if row < rows && column < columns {
            x = source[row * stride + offset + column];
        }
        square[i * 33u + local.x] = x;
    }
    workgroupBarrier();
    for (var i = local.y; i < 32u; i += 8u) {
        let column = wid.y * 32u + i;
        if column < columns {
            turned[column * ((rows + 31u) / 32u * 32u) + wid.x * 32u + placed(local.x)] = square[local.x * 33u + i];
        }
    }
}
