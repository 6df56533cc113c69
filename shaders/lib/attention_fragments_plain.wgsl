// attention_fragments_subgroup's functions over matrix_plain's fragments.
//! include: matrix_plain
//! const P_STRIDE: u32   halves from one row's weights to the next's
//! const S_STRIDE: u32   floats from one row's scores to the next's
//! const KV_STRIDE: u32  halves from one key's row to the next

// Right is where the fragment lies; what it lies in must not change before it is used.
struct Right { at: u32, row: u32, column: u32 }

fn weights_at(subgroup: u32, at: u32) -> Left {
    var x: Left;
    //! turns: 16u
    for (var i = 0u; i < side; i++) { x[i] = weights[subgroup][at + own_row * P_STRIDE + i]; }
    return x;
}

fn keys_at(at: u32) -> Right { return Right(at, 1u, KV_STRIDE); }
fn values_at(at: u32) -> Right { return Right(at, KV_STRIDE, 1u); }

fn multiply_add(left: Left, right: Right, sum: Result) -> Result {
    var held = left;
    var x = sum;
    //! turns: 16u
    for (var k = 0u; k < side; k++) {
        let at = right.at + k * right.row + own_column * right.column;
        //! turns: RESULTS
        for (var i = 0u; i < results; i++) {
            if right.row == 1u {
                x[i] = fma(held[k], k_halves[at + i * right.column], x[i]);
            } else {
                x[i] = fma(held[k], v_halves[at + i * right.column], x[i]);
            }
        }
    }
    return x;
}

fn results_at(subgroup: u32, at: u32) -> Result {
    var x: Result;
    //! turns: RESULTS
    for (var i = 0u; i < results; i++) { x[i] = floats[subgroup][at + own_row * S_STRIDE + own_column + i]; }
    return x;
}

fn keep_result(subgroup: u32, at: u32, x: Result) {
    var held = x;
    //! turns: RESULTS
    for (var i = 0u; i < results; i++) { floats[subgroup][at + own_row * S_STRIDE + own_column + i] = held[i]; }
}
