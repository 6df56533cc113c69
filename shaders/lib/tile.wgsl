// A tile of a product's rows.
struct Tile {
    first: u32,   // the first of its rows; none from end on is in it
    end: u32,
    weights: u32, // where the rows of W that multiply them begin in the piece
    bias: u32,    // and their places in bias
}
