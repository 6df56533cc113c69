// Maxima and sums of rows over the TX invocations that share them, through the kernel's stage, whose content is lost. A vector
// is four rows. All of the workgroup must call each.
//! const RG: u32  vec4s of query rows that an invocation owns
//! const TX: u32  invocations that share a row
//! const STEP: u32  lines of a plane of the stage
fn rows_max(values: ptr<function, array<vec4<f32>, RG>>, tx: u32, ty: u32) {
    workgroupBarrier();
    for (var g = 0u; g < RG; g++) { stage[(ty * RG + g) / STEP][(ty * RG + g) % STEP][tx] = (*values)[g]; }
    workgroupBarrier();
    for (var g = 0u; g < RG; g++) {
        for (var i = 0u; i < TX; i++) { (*values)[g] = max((*values)[g], stage[(ty * RG + g) / STEP][(ty * RG + g) % STEP][i]); }
    }
    workgroupBarrier();
}

fn rows_sum(values: ptr<function, array<vec4<f32>, RG>>, tx: u32, ty: u32) {
    workgroupBarrier();
    for (var g = 0u; g < RG; g++) { stage[(ty * RG + g) / STEP][(ty * RG + g) % STEP][tx] = (*values)[g]; }
    workgroupBarrier();
    for (var g = 0u; g < RG; g++) {
        var x = vec4<f32>(0.0);
        for (var i = 0u; i < TX; i++) { x += stage[(ty * RG + g) / STEP][(ty * RG + g) % STEP][i]; }
        (*values)[g] = x;
    }
}
