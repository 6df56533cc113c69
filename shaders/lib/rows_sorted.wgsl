// Rows of a product by experts: choices sorted by expert, a tile of one expert's at a time (see sort_choices.wgsl).
//! const ORDER: u32    the word of sorted where the choices begin
//! const X_EACH: u32   choices that share a row of x
//! const EACH: u32     rows of an expert
//! const BEGIN: u32    the first of them in this piece of W
//! const FIRST: u32    the piece's first row in W
//! const ROWS: u32     the piece's rows
@group(0) @binding(6) var<storage, read> sorted: array<u32>;

// tile_of gives no rows past the last tile, and where the expert's are in another piece.
fn tile_of(number: u32, height: u32) -> Tile {
    let word = 4u + 4u * number;
    if number >= sorted[0] {
        return Tile(0u, 0u, 0u, 0u);
    }
    let begin = sorted[word] * EACH + BEGIN;
    if begin - FIRST >= ROWS {
        return Tile(0u, 0u, 0u, 0u);
    }
    return Tile(sorted[word + 1u], sorted[word + 2u], begin - FIRST, begin);
}

fn x_row(m: u32) -> u32 { return sorted[ORDER + m] / X_EACH; }
fn y_row(m: u32) -> u32 { return sorted[ORDER + m]; }
