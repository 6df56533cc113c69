// Maxima and sums of rows over the 16 neighbouring invocations that share them, by exchange. A vector is four rows.
//! const RG: u32  vec4s of query rows that an invocation owns
fn rows_max(values: ptr<function, array<vec4<f32>, RG>>, tx: u32, ty: u32) {
    for (var g = 0u; g < RG; g++) {
        for (var span = 8u; span > 0u; span = span / 2u) { (*values)[g] = max((*values)[g], subgroupShuffleXor((*values)[g], span)); }
    }
}

fn rows_sum(values: ptr<function, array<vec4<f32>, RG>>, tx: u32, ty: u32) {
    for (var g = 0u; g < RG; g++) {
        for (var span = 8u; span > 0u; span = span / 2u) { (*values)[g] += subgroupShuffleXor((*values)[g], span); }
    }
}
