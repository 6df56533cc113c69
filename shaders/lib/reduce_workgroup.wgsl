// Sums over groups of LANES neighbouring invocations (a power of two), SUMS at once, through workgroup memory.
//! const LANES: u32      invocations of a group
//! const WORKGROUP: u32  invocations of a workgroup
//! const SUMS: u32       sums that are found at once
const LANE_SUMS: u32 = WORKGROUP * SUMS;
var<workgroup> lane_sums: array<f32, LANE_SUMS>;

// lanes_sum replaces each of values by its sum over the invocation's group. All of the workgroup must call it.
fn lanes_sum(values: ptr<function, array<f32, SUMS>>, lid: u32) {
    let lane = lid % LANES;
    for (var i = 0u; i < SUMS; i++) {
        lane_sums[i * WORKGROUP + lid] = (*values)[i];
    }
    for (var span = LANES / 2u; span > 0u; span = span / 2u) {
        workgroupBarrier();
        if lane < span {
            for (var i = 0u; i < SUMS; i++) {
                lane_sums[i * WORKGROUP + lid] += lane_sums[i * WORKGROUP + lid + span];
            }
        }
    }
    workgroupBarrier();
    for (var i = 0u; i < SUMS; i++) {
        (*values)[i] = lane_sums[i * WORKGROUP + lid - lane];
    }
}
