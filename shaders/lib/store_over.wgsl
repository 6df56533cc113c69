// Storing of a product's numbers by tiles.
//! const Y_STRIDE: u32  floats from one row of y to the next
//! const Y_OFFSET: u32  column of y where the piece's first row goes
//! const ADD: bool      y is added to
//! const OVER: bool     y holds gates: y[m][i] = gated(y[m][i], r[i])
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

fn store(m: u32, column: u32, value: f32) {
    let at = m * Y_STRIDE + Y_OFFSET + column;
    if OVER {
        y[at] = gated(y[at], value);
    } else if ADD {
        y[at] += value;
    } else {
        y[at] = value;
    }
}
