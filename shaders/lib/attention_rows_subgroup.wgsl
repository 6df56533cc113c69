// Maxima and sums of rows over the TX invocations that share them, a power of two: by exchanging values among LANES of them,
// which share a subgroup, and through workgroup memory where there are more. A vector is four rows.
//! const TX: u32     invocations that share rows
//! const LANES: u32  of them, in one subgroup
//! const QUADS: u32  vec4s of query rows that a workgroup owns
//! const RG: u32     vec4s of query rows that an invocation owns
const GROUPS: u32 = TX / LANES;
var<workgroup> row_tile: array<array<vec4<f32>, TX>, QUADS>;

// rows_max replaces the rows' values by their greatest. All of the workgroup must call it; it waits for all before it.
fn rows_max(values: ptr<function, array<vec4<f32>, RG>>, tx: u32, ty: u32) {
    for (var g = 0u; g < RG; g++) {
        for (var span = LANES / 2u; span > 0u; span = span / 2u) {
            (*values)[g] = max((*values)[g], subgroupShuffleXor((*values)[g], span));
        }
        if GROUPS > 1u && tx % LANES == 0u {
            row_tile[ty * RG + g][tx / LANES] = (*values)[g];
        }
    }
    workgroupBarrier();
    if GROUPS > 1u {
        for (var g = 0u; g < RG; g++) {
            for (var i = 0u; i < GROUPS; i++) { (*values)[g] = max((*values)[g], row_tile[ty * RG + g][i]); }
        }
    }
}

// rows_sum replaces the rows' values by their sum. All of the workgroup must call it.
fn rows_sum(values: ptr<function, array<vec4<f32>, RG>>, tx: u32, ty: u32) {
    workgroupBarrier();
    for (var g = 0u; g < RG; g++) {
        for (var span = LANES / 2u; span > 0u; span = span / 2u) {
            (*values)[g] += subgroupShuffleXor((*values)[g], span);
        }
        if GROUPS > 1u && tx % LANES == 0u {
            row_tile[ty * RG + g][tx / LANES] = (*values)[g];
        }
    }
    workgroupBarrier();
    if GROUPS > 1u {
        for (var g = 0u; g < RG; g++) {
            (*values)[g] = row_tile[ty * RG + g][0];
            for (var i = 1u; i < GROUPS; i++) { (*values)[g] += row_tile[ty * RG + g][i]; }
        }
    }
}
