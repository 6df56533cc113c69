// Rotary embedding of the heads in a token's row of qkv.
//! include: number
//! slot bias: bias_none bias_add
//! const ROTARY_DIM: u32  elements that turn, from the first on
//! const ADJACENT: bool   pairs are (2i, 2i + 1); without, (i, i + ROTARY_DIM / 2)
//! const TABLE_ROW: u32   floats of a position in the table
//! const GROWING: bool    a position's row of the table ends with what q is multiplied by
//! const HEAD_DIM: u32    elements of a head

@group(0) @binding(1) var<storage, read_write> qkv: array<f32>;  // [token][STRIDE]: q heads, k heads, v heads
@group(0) @binding(2) var<storage, read> table: array<f32>;      // [position][ROTARY_DIM / 2](cos, sin)

const HALF: u32 = ROTARY_DIM / 2u;
const Q_UNITS: u32 = (HEAD_DIM + 1u) / 2u;

fn plain(base: u32, i: u32) -> f32 { return qkv[base + i] + bias_at(i); }

// rotated gives element e of the k head that starts at element head of a token's row.
fn rotated(base: u32, head: u32, e: u32, position: u32) -> f32 {
    if e >= ROTARY_DIM {
        return plain(base, head + e);
    }
    var pair = e % max(HALF, 1u);
    var first = pair;
    var second = pair + HALF;
    if ADJACENT {
        pair = e / 2u;
        first = 2u * pair;
        second = first + 1u;
    }
    let a = plain(base, head + first);
    let b = plain(base, head + second);
    let at = position * TABLE_ROW + pair * 2u;
    if e == first {
        return a * table[at] - b * table[at + 1u];
    }
    return a * table[at + 1u] + b * table[at];
}

// grown gives an element of q as it is at a position.
fn grown(x: f32, position: u32) -> f32 {
    if GROWING {
        return x * table[position * TABLE_ROW + ROTARY_DIM];
    }
    return x;
}

// rotate_query rotates a pair of a q head's elements in place; Q_UNITS pairs are a head. It tells whether they are numbers.
fn rotate_query(base: u32, unit: u32, position: u32) -> bool {
    let head = (unit / Q_UNITS) * HEAD_DIM;
    let i = unit % Q_UNITS;
    if i < HALF {
        let first = head + select(i, 2u * i, ADJACENT);
        let second = first + select(HALF, 1u, ADJACENT);
        let a = plain(base, first);
        let b = plain(base, second);
        let at = position * TABLE_ROW + i * 2u;
        let x = grown(a * table[at] - b * table[at + 1u], position);
        let y = grown(a * table[at + 1u] + b * table[at], position);
        qkv[base + first] = x;
        qkv[base + second] = y;
        return !no_number(x) && !no_number(y);
    }
    let e = 2u * i;
    let x = grown(plain(base, head + e), position);
    qkv[base + head + e] = x;
    if e + 1u >= HEAD_DIM {
        return !no_number(x);
    }
    let y = grown(plain(base, head + e + 1u), position);
    qkv[base + head + e + 1u] = y;
    return !no_number(x) && !no_number(y);
}
