// Where attention_matrix's fragments lie. Calls are written out, for Chromium checks bounds where a place is no constant. All of a
// subgroup calls each function with the same arguments.
//! include: matrix_subgroup
//! const P_STRIDE: u32   halves from one row's weights to the next's
//! const S_STRIDE: u32   floats from one row's scores to the next's
//! const KV_STRIDE: u32  halves from one key's row to the next

// weights_at reads a fragment of rows of weights, or of Q.
//! inline
fn weights_at(subgroup: u32, at: u32) -> Left { return subgroupMatrixLoad<Left, row_major>(&weights[subgroup], at, P_STRIDE); }

// keys_at reads a fragment whose columns are keys, values_at one whose rows are.
//! inline
fn keys_at(at: u32) -> Right { return subgroupMatrixLoad<Right, col_major>(&k_halves, at, KV_STRIDE); }
//! inline
fn values_at(at: u32) -> Right { return subgroupMatrixLoad<Right, row_major>(&v_halves, at, KV_STRIDE); }

// results_at reads a fragment of floats, keep_result writes one.
//! inline
fn results_at(subgroup: u32, at: u32) -> Result { return subgroupMatrixLoad<Result, row_major>(&floats[subgroup], at, S_STRIDE); }
//! inline
fn keep_result(subgroup: u32, at: u32, x: Result) { subgroupMatrixStore<row_major>(&floats[subgroup], at, x, S_STRIDE); }

// multiply_add gives left·right + sum.
//! inline
fn multiply_add(left: Left, right: Right, sum: Result) -> Result { return subgroupMatrixMultiplyAccumulate(left, right, sum); }
