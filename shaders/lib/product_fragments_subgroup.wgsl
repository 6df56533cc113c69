// What product_matrix does with fragments; matrix_subgroup has their types. All of a subgroup calls each function with the same arguments.
//! include: matrix_subgroup

// left_rows reads a fragment whose rows lie stride apart in halves, right_columns one whose columns do.
fn left_rows(at: u32, stride: u32) -> Left { return subgroupMatrixLoad<Left, row_major>(&halves, at, stride); }
fn right_columns(at: u32, stride: u32) -> Right { return subgroupMatrixLoad<Right, col_major>(&halves, at, stride); }

// keep_result writes a result's rows into floats.
fn keep_result(at: u32, stride: u32, x: Result) { subgroupMatrixStore<row_major>(&floats, at, x, stride); }

// multiply_add gives left·right + sum.
fn multiply_add(left: Left, right: Right, sum: Result) -> Result { return subgroupMatrixMultiplyAccumulate(left, right, sum); }
