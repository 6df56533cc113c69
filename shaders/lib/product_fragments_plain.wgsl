// product_fragments_subgroup's functions over matrix_plain's fragments.
//! include: matrix_plain

// Right is where the fragment lies; what it lies in must not change before it is used.
struct Right { at: u32, stride: u32 }

fn left_rows(at: u32, stride: u32) -> Left {
    var x: Left;
    //! turns: 16u
    for (var i = 0u; i < side; i++) { x[i] = halves[at + own_row * stride + i]; }
    return x;
}
fn right_columns(at: u32, stride: u32) -> Right { return Right(at, stride); }

fn keep_result(at: u32, stride: u32, x: Result) {
    var held = x;
    //! turns: RESULTS
    for (var i = 0u; i < results; i++) { floats[at + own_row * stride + own_column + i] = held[i]; }
}

fn multiply_add(left: Left, right: Right, sum: Result) -> Result {
    var held = left;
    var x = sum;
    //! turns: 16u
    for (var k = 0u; k < side; k++) {
        let at = right.at + k + own_column * right.stride;
        //! turns: RESULTS
        for (var i = 0u; i < results; i++) { x[i] = fma(held[k], halves[at + i * right.stride], x[i]); }
    }
    return x;
}
