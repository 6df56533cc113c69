// Standard attention works on one head at a time: a head's rows are copied out of [token][head][COLUMNS] into rows padded
// with zeros to WIDTH, or back (then WIDTH is COLUMNS). What differs from head to head comes from `head`: queries, keys,
// query head, KV head, head dim.
//! include: fold
//! const UNITS: bool     a row is laid out as lib/dequant_f32.wgsl reads weights
//! const WIDTH: u32      columns of a row of copied
//! const ROWS_WORD: u32  head's word with the number of rows
//! const HEAD_WORD: u32  head's word with the head
//! const COLUMNS: u32    columns of a head
//! const GATHER: bool    out of [token][head][COLUMNS]; without, back
//! const STRIDE: u32     floats of a token
//! const ADD: bool       copied is added to
//! const PADDED: u32     floats of a padded row
@group(0) @binding(0) var<storage, read> head: array<u32>;
@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read_write> copied: array<f32>;

// placed is where column c stands in its row.
fn placed(c: u32) -> u32 {
    if !UNITS {
        return c;
    }
    let w = c % 32u;
    return c - w + (w % 16u) / 4u * 8u + w / 16u * 4u + w % 4u;
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let i = (wid.y * FOLD + wid.x) * 256u + lid;
    let row = i / WIDTH;
    let c = i % WIDTH;
    if row >= head[ROWS_WORD] {
        return;
    }
    let offset = head[HEAD_WORD] * COLUMNS;
    if GATHER {
        var x = 0.0;
        if c < COLUMNS {
            x = source[row * STRIDE + offset + c];
        }
        copied[row * WIDTH + placed(c)] = x;
    } else if ADD {
        copied[row * STRIDE + offset + c] += source[row * PADDED + c];
    } else {
        copied[row * STRIDE + offset + c] = source[row * PADDED + c];
    }
}
