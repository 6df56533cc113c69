// Maxima and sums of rows over the 16 invocations that share them, through the kernel's stage, which nothing may be in. A
// vector is four rows. All of the workgroup must call each.
//! const RG: u32  vec4s of query rows that an invocation owns
fn rows_max(values: ptr<function, array<vec4<f32>, RG>>, tx: u32, ty: u32) {
    for (var g = 0u; g < RG; g++) { stage[(ty * RG + g) * 16u + tx] = (*values)[g]; }
    workgroupBarrier();
    for (var g = 0u; g < RG; g++) {
        for (var i = 0u; i < 16u; i++) { (*values)[g] = max((*values)[g], stage[(ty * RG + g) * 16u + i]); }
    }
    workgroupBarrier();
}

fn rows_sum(values: ptr<function, array<vec4<f32>, RG>>, tx: u32, ty: u32) {
    for (var g = 0u; g < RG; g++) { stage[(ty * RG + g) * 16u + tx] = (*values)[g]; }
    workgroupBarrier();
    for (var g = 0u; g < RG; g++) {
        var x = vec4<f32>(0.0);
        for (var i = 0u; i < 16u; i++) { x += stage[(ty * RG + g) * 16u + i]; }
        (*values)[g] = x;
    }
}
