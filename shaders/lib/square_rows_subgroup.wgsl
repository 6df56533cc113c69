// Maxima and sums of rows over the TX neighbouring invocations that share them, by exchange. A vector is four rows.
//! const RG: u32  vec4s of query rows that an invocation owns
//! const TX: u32  invocations that share a row: 8 or 16
fn rows_max(values: ptr<function, array<vec4<f32>, RG>>, tx: u32, ty: u32) {
    //! unroll
    for (var g = 0u; g < RG; g++) {
        if TX > 8u {
            (*values)[g] = max((*values)[g], subgroupShuffleXor((*values)[g], 8u));
        }
        (*values)[g] = max((*values)[g], subgroupShuffleXor((*values)[g], 4u));
        (*values)[g] = max((*values)[g], subgroupShuffleXor((*values)[g], 2u));
        (*values)[g] = max((*values)[g], subgroupShuffleXor((*values)[g], 1u));
    }
}

fn rows_sum(values: ptr<function, array<vec4<f32>, RG>>, tx: u32, ty: u32) {
    //! unroll
    for (var g = 0u; g < RG; g++) {
        if TX > 8u {
            (*values)[g] += subgroupShuffleXor((*values)[g], 8u);
        }
        (*values)[g] += subgroupShuffleXor((*values)[g], 4u);
        (*values)[g] += subgroupShuffleXor((*values)[g], 2u);
        (*values)[g] += subgroupShuffleXor((*values)[g], 1u);
    }
}
