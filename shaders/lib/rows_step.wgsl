// Rows of a product: each of the step's is multiplied by all of W.
//! include: step
//! const M_WORD: u32   the step's word with the number of rows
//! const GATHER: bool  row m of x is the token of output m
//! const FIRST: u32    the piece's first row in W
fn tile_of(number: u32, height: u32) -> Tile { return Tile(number * height, step[M_WORD], 0u, FIRST); }

fn x_row(m: u32) -> u32 {
    if GATHER {
        return step[output_at(m)];
    }
    return m;
}
fn y_row(m: u32) -> u32 { return m; }
