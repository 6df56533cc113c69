// Maxima and sums of rows over the TX invocations that share them, through workgroup memory. A vector is four rows.
//! const TX: u32     invocations that share rows
//! const QUADS: u32  vec4s of query rows that a workgroup owns
//! const RG: u32     vec4s of query rows that an invocation owns
var<workgroup> row_tile: array<array<vec4<f32>, TX>, QUADS>;

// rows_max replaces the rows' values by their greatest. All of the workgroup must call it; it waits for all before it.
fn rows_max(values: ptr<function, array<vec4<f32>, RG>>, tx: u32, ty: u32) {
    for (var g = 0u; g < RG; g++) { row_tile[ty * RG + g][tx] = (*values)[g]; }
    workgroupBarrier();
    for (var g = 0u; g < RG; g++) {
        var x = (*values)[g];
        for (var i = 0u; i < TX; i++) { x = max(x, row_tile[ty * RG + g][i]); }
        (*values)[g] = x;
    }
}

// rows_sum replaces the rows' values by their sum. All of the workgroup must call it.
fn rows_sum(values: ptr<function, array<vec4<f32>, RG>>, tx: u32, ty: u32) {
    workgroupBarrier();
    for (var g = 0u; g < RG; g++) { row_tile[ty * RG + g][tx] = (*values)[g]; }
    workgroupBarrier();
    for (var g = 0u; g < RG; g++) {
        var x = vec4<f32>(0.0);
        for (var i = 0u; i < TX; i++) { x += row_tile[ty * RG + g][i]; }
        (*values)[g] = x;
    }
}
