// Maxima and sums of rows over the TX invocations that share them (a power of two, at most the smallest subgroup), by
// exchanging values inside a subgroup. A vector is four rows.
var<workgroup> row_tile: array<array<vec4<f32>, TX>, QUADS>;

// rows_max replaces the rows' values by their greatest. All of the workgroup must call it; it waits for all before it.
fn rows_max(values: ptr<function, array<vec4<f32>, RG>>, tx: u32, ty: u32) {
    workgroupBarrier();
    for (var g = 0u; g < RG; g++) {
        for (var span = TX / 2u; span > 0u; span = span / 2u) {
            (*values)[g] = max((*values)[g], subgroupShuffleXor((*values)[g], span));
        }
    }
}

// rows_sum replaces the rows' values by their sum. All of the workgroup must call it.
fn rows_sum(values: ptr<function, array<vec4<f32>, RG>>, tx: u32, ty: u32) {
    for (var g = 0u; g < RG; g++) {
        for (var span = TX / 2u; span > 0u; span = span / 2u) {
            (*values)[g] += subgroupShuffleXor((*values)[g], span);
        }
    }
}
