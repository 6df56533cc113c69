// Sums over groups of LANES neighbouring invocations, SUMS at once: by exchange inside subgroups of SUBGROUP, then through workgroup
// memory.
//! const LANES: u32      invocations of a group, a multiple of SUBGROUP
//! const WORKGROUP: u32  invocations of a workgroup
//! const SUBGROUP: u32   invocations that surely share a subgroup
//! const SUMS: u32       sums that are found at once
const LANE_SUMS: u32 = WORKGROUP / SUBGROUP * SUMS;
var<workgroup> lane_sums: array<f32, LANE_SUMS>;

// lanes_sum replaces each of values by its sum over the invocation's group. All of the workgroup must call it.
fn lanes_sum(values: ptr<function, array<f32, SUMS>>, lid: u32) {
    for (var level = 1u; level < 8u; level++) { // counted by one: see style_test.go
        let span = SUBGROUP >> level;
        if span > 0u {
            for (var i = 0u; i < SUMS; i++) {
                (*values)[i] += subgroupShuffleXor((*values)[i], span);
            }
        }
    }
    if lid % SUBGROUP == 0u {
        for (var i = 0u; i < SUMS; i++) {
            lane_sums[lid / SUBGROUP * SUMS + i] = (*values)[i];
        }
    }
    workgroupBarrier();
    let first = lid / LANES * (LANES / SUBGROUP) * SUMS;
    for (var i = 0u; i < SUMS; i++) {
        var sum = lane_sums[first + i];
        for (var n = 1u; n < LANES / SUBGROUP; n++) { sum += lane_sums[first + n * SUMS + i]; }
        (*values)[i] = sum;
    }
}
